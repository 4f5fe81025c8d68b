import { createHash } from "node:crypto";
import { random } from "@espalier/core";
import { describe, expect, it } from "vitest";
import { createNativeSha256 } from "#native";
import { createDigest } from "./digest.ts";

const isBuilt = createNativeSha256() !== undefined;

describe("createDigest", () => {
  it("agrees with Node's sha256 wherever the bytes are cut", async () => {
    const draw = random(5).sequence();
    const below = (count: number) => Math.floor(draw.uniform() * count);
    for (let round = 0; round < 300; round++) {
      const digest = createDigest();
      const judge = createHash("sha256");
      for (let piece = below(6); piece > 0; piece--) {
        const bytes = Uint8Array.from({ length: below(round % 10 === 0 ? 5000 : 140) }, () => below(256));
        await digest.update(bytes);
        judge.update(bytes);
      }
      expect(digest.hex()).toBe(judge.digest("hex"));
    }
  });

  it("gives every length around the ends of blocks", async () => {
    for (let length = 0; length <= 200; length++) {
      const bytes = Uint8Array.from({ length }, (_, i) => i * 7);
      const digest = createDigest();
      await digest.update(bytes);
      expect(digest.hex(), `${length} bytes`).toBe(createHash("sha256").update(bytes).digest("hex"));
    }
  });

  it.skipIf(!isBuilt)("digests several at once", async () => {
    const texts = Array.from({ length: 20 }, (_, i) => Buffer.alloc(100_000 + i, i));
    const found = await Promise.all(
      texts.map(async (text) => {
        const digest = createDigest();
        await digest.update(text.subarray(0, 777));
        await digest.update(text.subarray(777));
        return digest.hex();
      }),
    );
    expect(found).toEqual(texts.map((text) => createHash("sha256").update(text).digest("hex")));
  });
});
