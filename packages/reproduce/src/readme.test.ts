import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runReadmeExample } from "../../../infra/testing/readmeExample.ts";

describe("README", () => {
  it("has an example that judges the paper's arithmetic", () => {
    expect(runReadmeExample(join(import.meta.dirname, ".."))).toBe("44 claims, 15 equal to the printed digit\n43.27 %\n");
  });
});
