import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { sha256, sha256File } from "./digest.ts";

describe("sha256File", () => {
  it("gives the published digest of `abc` (FIPS 180-2, appendix B.1)", async () => {
    const directory = mkdtempSync(join(tmpdir(), "espalier-core-"));
    writeFileSync(join(directory, "abc"), "abc");
    const digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    expect(await sha256File(join(directory, "abc"))).toBe(digest);
    expect(sha256("abc")).toBe(digest);
    await expect(sha256File(join(directory, "absent"))).rejects.toThrow(/does not exist/);
    rmSync(directory, { recursive: true });
  });
});
