import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runReadmeExample } from "../../testing/readmeExample.ts";

describe("README", () => {
  it("has an example that prints what it says", () => {
    expect(runReadmeExample(join(import.meta.dirname, ".."))).toBe("3261 27890115 @types/node eslint ol ramda rxjs three webpack\n");
  });
});
