import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runReadmeExample } from "../../../infra/testing/readmeExample.ts";

describe("README", () => {
  it("has an example that prints what it says", () => {
    expect(runReadmeExample(join(import.meta.dirname, ".."))).toBe("[ 4752, 19964 ] true true\n16 true\n");
  });
});
