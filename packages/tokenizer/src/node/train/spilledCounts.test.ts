import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConfigError, random } from "@espalier/core";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createPieceCounts, type Pieces, typescriptPieceCounts } from "../../train/pieceCounts.ts";
import { trainTokenizer } from "../../train/trainTokenizer.ts";
import { inOrder, merged, readRun, writeRun } from "./runs.ts";
import { createSpilledPieceCounts, learningBytes } from "./spilledCounts.ts";

let directory: string;
beforeEach(() => (directory = mkdtempSync(join(tmpdir(), "espalier-runs-"))));
afterEach(() => rmSync(directory, { recursive: true }));

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1");
const listed = (pieces: Pieces) => Array.from(inOrder(pieces), ({ bytes, count }) => [text(bytes), count] as const);

/** Documents of words most of which are new, so that the number of pieces grows with the text. */
function* wordy(megabytes: number): Generator<Uint8Array> {
  const draw = random(5, "wordy").sequence();
  for (let bytes = 0; bytes < megabytes * 1e6; bytes += 5e4) {
    let document = "";
    while (document.length < 5e4) document += `${draw.integer(4) === 0 ? "tree" : draw.integer(2 ** 31).toString(36).replaceAll(/\d/g, "q")} `;
    yield Buffer.from(document);
  }
}

describe("createSpilledPieceCounts", () => {
  it("gives the counts and the vocabulary of a counter without a limit", { timeout: 120_000 }, () => {
    const whole = createPieceCounts();
    const spilled = createSpilledPieceCounts({ directory, memoryBytes: 2 ** 24, minPieceCount: 2 });
    for (const document of wordy(12)) {
      whole.add(document);
      spilled.add(document);
      expect(spilled.heldBytes * 4).toBeLessThan(2 ** 25);
    }
    expect(spilled.numRuns).toBeGreaterThan(16); // so that runs were merged before the end too
    const expected = listed(whole.pieces()).filter(([, count]) => count >= 2);
    expect(listed(spilled.pieces())).toEqual(expected);
    spilled.close();
    expect(readdirSync(directory)).toEqual([]);
  });

  it("trains the same tokens with runs as without", { timeout: 120_000 }, () => {
    const spilled = createSpilledPieceCounts({ directory, memoryBytes: 80 * 2 ** 20 });
    const whole = createPieceCounts();
    let runs = 0;
    for (const document of wordy(4)) {
      whole.add(document);
      spilled.add(document);
      runs = spilled.numRuns;
    }
    expect(runs).toBeGreaterThan(0);
    expect(trainTokenizer(spilled, { vocabSize: 600 }).digest).toBe(trainTokenizer(whole, { vocabSize: 600 }).digest);
  });

  it("gives the counter's memory back where training needs the room, with the same pieces", { timeout: 120_000 }, () => {
    const whole = createPieceCounts();
    for (const document of wordy(1.2)) whole.add(document);
    const pieces = whole.pieces();
    const needed = learningBytes(pieces.counts.length, pieces.bytes.length) + pieces.bytes.length + 12 * pieces.counts.length;
    expect(needed).toBeGreaterThan(2 ** 24); // else the least limit leaves room for both
    const fits = createSpilledPieceCounts({ directory, memoryBytes: 2 * (needed + 2 * whole.heldBytes) });
    for (const document of wordy(1.2)) fits.add(document);
    expect(listed(fits.pieces())).toEqual(listed(pieces));
    expect(fits.numRuns).toBe(0);
    fits.close();

    const tight = createSpilledPieceCounts({ directory, memoryBytes: Math.max(needed, 4 * whole.heldBytes) });
    for (const document of wordy(1.2)) tight.add(document);
    expect({ runs: tight.numRuns, held: tight.heldBytes }).toEqual({ runs: 0, held: whole.heldBytes });
    expect(listed(tight.pieces())).toEqual(listed(pieces));
    expect(tight.numRuns).toBe(1);
    expect(tight.heldBytes).toBeLessThan(whole.heldBytes / 4);
  });

  it("refuses to begin a training that needs more than it may take, and says what to do", () => {
    const spilled = createSpilledPieceCounts({ directory, memoryBytes: 2 ** 24 });
    for (const document of wordy(6)) spilled.add(document);
    expect(() => spilled.pieces()).toThrow(ConfigError);
    expect(() => spilled.pieces()).toThrow(/^piece counts: training on \d+ distinct pieces of \d+ bytes needs about \d+ MiB, expected at most 16 MiB\. Raise memoryBytes, or leave out rare pieces/);
    expect(() => createSpilledPieceCounts({ directory, memoryBytes: 1000 })).toThrow(/memoryBytes is 1000, expected at least 16777216/);
  });

  it("names a floor that fits, and refuses before all is read", () => {
    const open = (minPieceCount?: number) => createSpilledPieceCounts({ directory, memoryBytes: 2 ** 24, ...(minPieceCount !== undefined && { minPieceCount }) });
    const counts = open();
    for (const document of wordy(4)) counts.add(document);
    expect(() => counts.pieces()).toThrow(/minPieceCount \(at least 2, by what was counted so far\)/);
    const floored = open(2);
    for (const document of wordy(4)) floored.add(document);
    expect(floored.pieces().counts.every((count) => count >= 2)).toBe(true);
    const endless = open();
    expect(() => {
      for (const document of wordy(1000)) endless.add(document);
    }).toThrow(/^piece counts: training on \d+ distinct pieces/);
    endless.close();
  });

  it("removes what a killed run left, and nothing else", () => {
    for (const name of ["pieces.3.run", "pieces.json", "train.bin"]) writeFileSync(join(directory, name), "left");
    createSpilledPieceCounts({ directory });
    expect(readdirSync(directory).sort()).toEqual(["pieces.json", "train.bin"]);
  });
});

describe("runs", () => {
  it("keep every piece and count, and merge to the sum", () => {
    const document = fc.array(fc.constantFrom("a", "b", "the ", "  ", "\n", "1", "語", "x".repeat(40)), { maxLength: 30 }).map((parts) => Buffer.from(parts.join("")));
    fc.assert(
      fc.property(fc.array(fc.array(document, { maxLength: 4 }), { minLength: 1, maxLength: 4 }), (parts) => {
        const whole = createPieceCounts();
        const paths = parts.map((documents, i) => {
          const counts = i % 2 === 0 ? createPieceCounts() : typescriptPieceCounts("cl100k"); // whose pieces are in no order
          for (const each of documents) {
            counts.add(each);
            whole.add(each);
          }
          const path = join(directory, String(i));
          writeRun(path, inOrder(counts.drain()));
          return path;
        });
        expect(Array.from(merged(paths.map(readRun)), ({ bytes, count }) => [text(bytes), count])).toEqual(listed(whole.pieces()));
      }),
    );
  });

  it("hold a piece that is larger than their buffer, and refuse a file that was cut", () => {
    const path = join(directory, "large");
    const large = new Uint8Array(3_000_000).fill(97);
    writeRun(path, [{ bytes: Uint8Array.of(1), count: 2 ** 40 }, { bytes: large, count: 1 }, { bytes: Uint8Array.of(255), count: 3 }]);
    expect(Array.from(readRun(path), ({ bytes, count }) => [bytes.length, count])).toEqual([[1, 2 ** 40], [3_000_000, 1], [1, 3]]);
    writeFileSync(path, Buffer.from([5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 65]));
    expect(() => [...readRun(path)]).toThrow(/ends inside a record/);
  });
});
