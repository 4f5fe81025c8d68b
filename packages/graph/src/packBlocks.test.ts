import { describe, expect, it } from "vitest";
import { packBlocks } from "./packBlocks.ts";

const block = (first: number, last: number, bytes: number) => ({ first, last, bytes, offset: -1 });

describe("packBlocks", () => {
  it("shares bytes between blocks that are never alive together", () => {
    const [a, b, c] = [block(0, 1, 128), block(2, 3, 128), block(1, 2, 64)];
    expect(packBlocks([a, b, c], 64)).toBe(192);
    expect([a.offset, b.offset, c.offset]).toEqual([0, 0, 128]);
  });

  it("takes the smallest gap that fits", () => {
    // Alive at 5: [0, 256) and [448, 576); gaps of 192 below a block, and of 128 between two others.
    const blocks = [block(0, 9, 512), block(0, 4, 192), block(0, 9, 192), block(0, 4, 128), block(0, 9, 128), block(5, 9, 128)];
    packBlocks(blocks, 64);
    const late = blocks[5];
    const alive = blocks.filter((other) => other !== late && other.last >= 5).toSorted((a, b) => a.offset - b.offset);
    expect(alive.map(({ offset }) => offset)).toEqual([0, 704, 1024]);
    expect(late.offset).toBe(896); // not 512, where 192 bytes are free
  });

  it("packs nothing into nothing", () => {
    expect(packBlocks([], 64)).toBe(0);
  });
});
