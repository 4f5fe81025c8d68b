import { ConfigError, DataError, random } from "@espalier/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { batchAt, type TokenSource } from "./batch.ts";
import { documentIndices } from "./documentIndices.ts";
import { permutation } from "./permutation.ts";
import { DATA_ORDER_VERSION, numWindows, windowOrder } from "./windowOrder.ts";

/** Token i is i, so a row's first token says which window it is. */
const counting = (name: string, numTokens: number, weight = 1, first = 0): TokenSource => ({
  name,
  tokens: Uint32Array.from({ length: numTokens }, (_, i) => first + i),
  weight,
});

/** First tokens of the windows numbered `from .. to`. */
function firstTokens(sources: readonly TokenSource[], T: number, from: number, to: number, B = 1, seed = 0): number[] {
  const first: number[] = [];
  for (let q = from; q < to; q += B) {
    const { tokens } = batchAt({ sources, seed, tokenOffset: q * T, batchSize: B, seqLen: T });
    for (let b = 0; b < B; b++) first.push(tokens[b * T]!);
  }
  return first;
}

describe("permutation", () => {
  it("is one to one at every size", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3000 }), fc.integer(), (n, seed) => {
        const order = permutation(n, random(seed));
        const images = Array.from({ length: n }, (_, i) => order(i)).sort((a, b) => a - b);
        expect(images).toEqual(Array.from({ length: n }, (_, i) => i));
      }),
      { numRuns: 50 },
    );
  });

  it("stays inside a large size and spreads over it", () => {
    const n = 3_000_000_019;
    const order = permutation(n, random(5));
    const images = Array.from({ length: 10_000 }, (_, i) => order(i));
    expect(new Set(images).size).toBe(10_000);
    expect(Math.max(...images)).toBeLessThan(n);
    const mean = images.reduce((sum, image) => sum + image / n, 0) / images.length;
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.02); // 7 standard errors of a uniform mean
  });

  it("puts every place equally often anywhere over keys", () => {
    const counts = new Float64Array(10);
    for (let key = 0; key < 5000; key++) counts[permutation(10, random(key))(0)]!++;
    for (const count of counts) expect(Math.abs(count - 500)).toBeLessThan(110); // 5 standard deviations
  });
});

describe("batchAt", () => {
  it("gives targets one token on", () => {
    const { tokens, targets } = batchAt({ sources: [counting("text", 1001)], seed: 1, tokenOffset: 0, batchSize: 4, seqLen: 10 });
    expect(targets).toEqual(tokens.map((token) => token + 1));
    for (let b = 0; b < 4; b++) expect(tokens[b * 10]! % 10).toBe(0);
  });

  it("shows every window once an epoch, in another order each epoch and seed", () => {
    const sources = [counting("text", 1005)];
    const windows = Array.from({ length: 100 }, (_, w) => w * 10);
    const epochs = [0, 1].map((epoch) => firstTokens(sources, 10, epoch * 100, (epoch + 1) * 100));
    for (const epoch of epochs) expect(epoch.toSorted((a, b) => a - b)).toEqual(windows);
    expect(epochs[0]).not.toEqual(windows);
    expect(epochs[0]).not.toEqual(epochs[1]);
    expect(firstTokens(sources, 10, 0, 100, 1, 1)).not.toEqual(epochs[0]);
  });

  it("has one sequence of windows for every batch size, and for a batch that crosses an epoch", () => {
    const sources = [counting("text", 505), counting("tasks", 301, 0.5, 10_000)];
    const alone = firstTokens(sources, 10, 0, 120);
    for (const B of [2, 8, 40, 120]) expect(firstTokens(sources, 10, 0, 120, B)).toEqual(alone);
  });

  it("numbers windows anew when T changes, at a multiple of the new T", () => {
    const sources = [counting("text", 1001)];
    const request = { sources, seed: 0, batchSize: 1 };
    expect(batchAt({ ...request, tokenOffset: 400, seqLen: 20 })).toEqual(batchAt({ ...request, tokenOffset: 400, seqLen: 20 }));
    expect(batchAt({ ...request, tokenOffset: 400, seqLen: 20 }).tokens[0]).toBe(firstTokens(sources, 20, 20, 21)[0]);
    expect(() => batchAt({ ...request, tokenOffset: 410, seqLen: 20 })).toThrow(
      new ConfigError("batchAt: tokenOffset is 410, expected a multiple of seqLen 20. End each stage on a whole window."),
    );
  });

  it("mixes sources by weight, evenly all along, each in its own order", () => {
    const sources = [counting("text", 4001, 0.7), counting("tasks", 1001, 0.2, 10_000), counting("more", 1001, 0.1, 20_000)];
    const first = firstTokens(sources, 10, 0, 1000, 10);
    const share = (from: number, to: number, low: number) =>
      first.slice(from, to).filter((token) => token >= low && token < low + 10_000).length / (to - from);
    for (const from of [0, 300, 900]) {
      expect(share(from, from + 100, 10_000)).toBeCloseTo(0.2, 1);
      expect(share(from, from + 100, 20_000)).toBeCloseTo(0.1, 1);
    }
    expect(share(0, 1000, 10_000)).toBeCloseTo(0.2, 2);
    expect(share(0, 1000, 20_000)).toBeCloseTo(0.1, 2);
    const tasks = first.filter((token) => token >= 10_000 && token < 20_000);
    const epoch = tasks.slice(0, 100).toSorted((a, b) => a - b);
    expect(epoch).toEqual(Array.from({ length: 100 }, (_, w) => 10_000 + w * 10));
  });

  it("refuses a source shorter than a window and a weight of zero", () => {
    const at = (source: TokenSource) => () => batchAt({ sources: [source], seed: 0, tokenOffset: 0, batchSize: 1, seqLen: 10 });
    expect(at(counting("text", 10))).toThrow(
      new DataError("batchAt: source text has 10 tokens, expected at least 11 for one window. Give more text or a smaller seqLen."),
    );
    expect(at(counting("text", 100, 0))).toThrow(/weight of source text is 0/);
  });
});

describe("windowOrder", () => {
  it("keeps the order of version 1", () => {
    // Written down from batchAt of the first release: a run must find the windows that it left.
    const order = [
      0, 300, 180, 10030, 100, 80, 10050, 40, 10, 10020, 150, 200, 230, 10060, 220, 70, 10090, 90, 290, 10040, 370, 340, 160, 10070, 110, 360, 10080, 250, 330, 10000,
    ];
    const sources = [counting("text", 401, 0.7), counting("tasks", 101, 0.3, 10_000)];
    expect(firstTokens(sources, 10, 0, 30, 1, 42)).toEqual(order);
    expect(DATA_ORDER_VERSION).toBe(1);
  });

  it("is never more windows away from a source's share than there are sources, however long the run", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 5 }), fc.integer({ min: 1, max: 5000 }), (weights, count) => {
        const windowAt = windowOrder(weights.map((weight, i) => ({ name: String(i), numTokens: 101, weight })), 3, 10);
        const found = weights.map(() => 0);
        for (let q = 0; q < count; q++) found[windowAt(q).source]!++;
        const sum = weights.reduce((a, b) => a + b);
        for (const [i, weight] of weights.entries()) expect(Math.abs(found[i]! - (count * weight) / sum)).toBeLessThan(weights.length);
      }),
      { numRuns: 50 },
    );
  });
});

describe("batchAt from a reader", () => {
  it("gives what it gives from memory", () => {
    const inMemory = [counting("text", 1001), counting("tasks", 301, 0.5, 10_000)];
    const read = inMemory.map(({ name, tokens, weight }) => ({
      name,
      weight,
      tokens: { length: tokens.length, read: (start: number, into: Int32Array) => into.set((tokens as Uint32Array).subarray(start, start + into.length)) },
    }));
    const request = { seed: 4, tokenOffset: 70, batchSize: 40, seqLen: 10 };
    expect(batchAt({ ...request, sources: read })).toEqual(batchAt({ ...request, sources: inMemory }));
  });
});

describe("documentIndices", () => {
  it("counts the separators before each token of a row", () => {
    const tokens = Int32Array.from([5, 0, 6, 7, 0, 8, 9, 0, 0, 5, 6, 7]);
    expect([...documentIndices(tokens, 6, 0)]).toEqual([0, 0, 1, 1, 1, 2, 0, 0, 1, 2, 2, 2]);
  });
});

describe("numWindows", () => {
  it("counts windows that have a target for every token", () => {
    expect([0, 1, 10, 11, 20, 21].map((numTokens) => numWindows(numTokens, 10))).toEqual([0, 0, 0, 1, 1, 2]);
  });
});
