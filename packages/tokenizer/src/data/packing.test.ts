import { ConfigError, DataError } from "@espalier/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Batch } from "./batch.ts";
import { documentIndices } from "./documentIndices.ts";
import { NO_TARGET, packedBatches, packingStatistics } from "./packedBatches.ts";
import { packDocuments } from "./packing.ts";

const SEPARATOR = 0;

/** Plain best fit decreasing: every row is looked at for every piece. Free tokens of the rows. */
function slowFree(lengths: readonly number[], T: number): number[] {
  const pieces = lengths.flatMap((length) => [...Array.from({ length: Math.floor(length / T) }, () => T), ...(length % T ? [length % T] : [])]);
  const free: number[] = [];
  for (const piece of pieces.sort((a, b) => b - a)) {
    const fitting = free.filter((left) => left >= piece);
    if (fitting.length === 0) free.push(T - piece);
    else free[free.indexOf(Math.min(...fitting))]! -= piece;
  }
  return free;
}

/** Ends of documents of these lengths, and tokens: token i is i + 1, separators apart. */
function documentsOf(lengths: readonly number[]): { ends: number[]; tokens: Uint32Array } {
  let sum = 0;
  const ends = lengths.map((length) => (sum += length));
  const tokens = Uint32Array.from({ length: sum }, (_, i) => i + 1);
  for (const end of ends) tokens[end - 1] = SEPARATOR;
  return { ends, tokens };
}

const batchOf = (B: number, T: number): Batch => ({ tokens: new Int32Array(B * T), targets: new Int32Array(B * T) });
const anyLengths = fc.array(fc.integer({ min: 1, max: 150 }), { minLength: 1, maxLength: 120 });
const anyT = fc.integer({ min: 2, max: 100 });

describe("packDocuments", () => {
  it("packs as the plain packer does: each document once, whole unless longer than T", () => {
    fc.assert(
      fc.property(anyLengths, anyT, fc.nat(1000), (lengths, T, start) => {
        const ends = documentsOf(lengths).ends.map((end) => start + end);
        const packing = packDocuments(ends, start, T);
        const rows = Array.from({ length: packing.numRows }, (_, row) => packing.items(row));
        const free = rows.map((items) => T - items.reduce((sum, { length }) => sum + length, 0));
        expect(free.sort((a, b) => a - b)).toEqual(slowFree(lengths, T).sort((a, b) => a - b));
        const items = rows.flat().sort((a, b) => a.start - b.start);
        let at = start;
        for (const [i, end] of ends.entries()) {
          for (const first = at; at < end; at = items.shift()!.start + Math.min(T, end - at)) {
            expect(items[0]).toEqual({ start: at, length: Math.min(T, end - at), begins: at === first, ends: end - at <= T });
          }
          expect(at).toBe(ends[i]);
        }
        expect(items).toEqual([]);
      }),
    );
  });

  it("leaves out documents without tokens", () => {
    expect(packDocuments([0, 3, 3], 0, 4).items(0)).toEqual([{ start: 0, length: 3, begins: true, ends: true }]);
    expect(packDocuments([], 0, 4).numRows).toBe(0);
  });
});

describe("packedBatches", () => {
  it("trains on each token's successor once an epoch, never across into a rest, in windows of documents", () => {
    fc.assert(
      fc.property(anyLengths, anyT, fc.integer({ min: 1, max: 50 }), (lengths, T, windowDocuments) => {
        const { ends, tokens } = documentsOf(lengths);
        const { numRows } = packingStatistics(ends, T, windowDocuments);
        const fill = packedBatches({ sources: [{ name: "text", weight: 1, tokens, ends }], seed: 3, seqLen: T, separator: SEPARATOR, windowDocuments });
        for (const epoch of [0, 1]) {
          const batch = batchOf(numRows, T);
          fill(epoch * numRows * T, batch);
          const predicted: number[] = [];
          const firstTokens = new Set(ends.map((_, i) => tokens[ends[i - 1] ?? 0]!));
          const indices = documentIndices(batch.tokens, T, SEPARATOR);
          batch.tokens.forEach((token, i) => {
            const target = batch.targets[i]!;
            const next = (i + 1) % T === 0 ? undefined : batch.tokens[i + 1];
            if (token !== SEPARATOR) {
              predicted.push(target);
              expect(target).toBe(tokens[token]); // token id t lies at t - 1
              if (next !== undefined) expect([next, indices[i + 1]]).toEqual([target, indices[i]]);
            } else if (target !== NO_TARGET) {
              expect([target, firstTokens.has(target)]).toEqual([next, true]);
              expect(indices[i + 1]).toBe(indices[i]! + 1);
            }
          });
          const all = [...tokens].flatMap((token, i) => (token === SEPARATOR ? [] : [tokens[i + 1]!]));
          const rising = (a: number, b: number) => a - b;
          expect(predicted.sort(rising)).toEqual(all.sort(rising));
        }
      }),
      { numRuns: 60 },
    );
  });

  it("gives the same rows whatever the batch size and wherever it begins, and other ones in each epoch", () => {
    const texts = documentsOf(Array.from({ length: 300 }, (_, i) => 1 + ((i * 37) % 61)));
    const tasks = documentsOf(Array.from({ length: 90 }, (_, i) => 1 + ((i * 17) % 23)));
    const sources = [{ name: "text", weight: 3, ...texts }, { name: "tasks", weight: 1, ...tasks }];
    const request = { sources, seed: 5, seqLen: 32, separator: SEPARATOR, windowDocuments: 64 };
    const whole = batchOf(600, 32);
    packedBatches(request)(0, whole);
    for (const [B, from] of [[1, 599], [7, 200], [50, 333]] as const) {
      const part = batchOf(B, 32);
      packedBatches(request)(from * 32, part);
      expect(part.tokens).toEqual(whole.tokens.slice(from * 32, (from + B) * 32));
      expect(part.targets).toEqual(whole.targets.slice(from * 32, (from + B) * 32));
    }
    const { numRows } = packingStatistics(texts.ends, 32, 64);
    const epochs = batchOf(2 * numRows, 32);
    packedBatches({ ...request, sources: sources.slice(0, 1) })(0, epochs);
    expect(epochs.tokens.slice(0, numRows * 32)).not.toEqual(epochs.tokens.slice(numRows * 32));
  });

  it("refuses an offset inside a row and sources without tokens", () => {
    const source = { name: "text", weight: 1, ...documentsOf([5, 6]) };
    const request = { seed: 0, seqLen: 8, separator: SEPARATOR };
    expect(() => packedBatches({ ...request, sources: [source] })(4, batchOf(1, 8))).toThrow(ConfigError);
    expect(() => packedBatches({ ...request, sources: [{ ...source, ends: [] }] })).toThrow(DataError);
  });
});

describe("packingStatistics", () => {
  it("counts cut documents and padding", () => {
    const statistics = packingStatistics([3, 7, 10, 20], 8); // packed: 8 | 4+3 | 3+2; laid end to end: 8, 16 cut [7, 10) and the last
    expect(statistics).toEqual({ numDocuments: 4, numTokens: 20, numRows: 3, cutShare: 0.25, paddingShare: 4 / 24, concatenatedCutShare: 0.5 });
  });
});
