import { describe, expect, it } from "vitest";
import { philox4x32, random } from "./random.ts";

describe("philox4x32", () => {
  // Known answers of the Random123 library, file kat_vectors (philox4x32, 10 rounds).
  it.each([
    [[0, 0, 0, 0], [0, 0], [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]],
    [
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    ],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    ],
  ] as const)("gives the published block for counter %j and key %j", (counter, key, expected) => {
    expect(philox4x32(counter, key)).toEqual(expected);
  });
});

describe("random", () => {
  it("depends on position, seed and every label, and on nothing else", () => {
    const stream = random(7, "init", "a");
    const first = stream.uniform(5);
    stream.uniform(1);
    expect(stream.uniform(5)).toBe(first);
    const others = [random(8, "init", "a"), random(7, "init", "b"), random(7, "inita"), random("7", "init", "a")];
    for (const other of others) expect(other.uniform(5)).not.toBe(first);
    expect(random(7).derive("init", "a").uniform(5)).toBe(random(7).derive("init", "a").uniform(5));
  });

  it("draws uniform and normal numbers with the right moments", () => {
    const stream = random(1, "moments");
    const count = 20_000;
    const mean = (f: (i: number) => number) => Array.from({ length: count }, (_, i) => f(i)).reduce((a, b) => a + b) / count;
    // Five standard errors: 5 sqrt(1/12 / n) = 0.0102; 5 / sqrt(n) = 0.0354; 5 sqrt(2 / n) = 0.05.
    expect(Math.abs(mean((i) => stream.uniform(i)) - 0.5)).toBeLessThan(0.0102);
    expect(Math.abs(mean((i) => stream.normal(i)))).toBeLessThan(0.0354);
    expect(Math.abs(mean((i) => stream.normal(i) ** 2) - 1)).toBeLessThan(0.05);
  });

  it("shuffles to a permutation that differs between positions", () => {
    const items = Array.from({ length: 50 }, (_, i) => i);
    const shuffled = random(3, "shuffle").sequence().shuffle(items);
    expect(shuffled).not.toEqual(items);
    expect([...shuffled].sort((a, b) => a - b)).toEqual(items);
  });
});
