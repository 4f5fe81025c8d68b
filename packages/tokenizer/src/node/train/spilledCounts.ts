import { readdirSync, rmSync } from "node:fs";
import { totalmem } from "node:os";
import { join } from "node:path";
import { ConfigError } from "@espalier/core";
import { instructionSets } from "#native";
import type { PatternName } from "../../pretokenize/patterns.ts";
import { createPieceCounts, type PieceCounts, type Pieces } from "../../train/pieceCounts.ts";
import { type CountedPiece, inOrder, merged, readRun, writeRun } from "./runs.ts";

export interface SpillOptions {
  pattern?: PatternName;
  /** Where counts go that do not fit. The folder is there; files `pieces.<n>.run` of an earlier call are removed. */
  directory: string;
  /** What counting and then training may take. Default: half of this machine's memory; at least 16 MiB. */
  memoryBytes?: number;
  /**
   * Pieces that occur less often in all are left out of training. Default 1: none, which is exact. A higher value is an
   * approximation, deterministic all the same: the totals are exact when they are compared.
   */
  minPieceCount?: number;
}

export interface SpilledPieceCounts extends PieceCounts {
  /** Runs written so far. */
  readonly numRuns: number;
  /** Removes the files. */
  close(): void;
}

const LEAST_BYTES = 2 ** 24;
/** Of what the counter holds: 1.5 times while its table doubles, 1.9 times with its copy in order (3.3 million pieces); room for a long document. */
const PEAK_OF_COUNTING = 4;
// Of the learner: a byte, its symbol (4), its place in the list of a pair (4, doubled by growth), pairs; offsets and counts. 3.3
// million pieces of 23 MB: 518 MiB by this, 443 measured with the addon, 839 without.
const LEARN_BYTES_A_BYTE = 20;
const LEARN_BYTES_A_PIECE = 24;
const WITHOUT_ADDON = 2;
/** Of the pieces that the learner is given: their bytes; an offset (4) and a count (8) each. */
const GIVEN_BYTES_A_PIECE = 12;
/** Of what the counter holds, once it has given a copy. */
const COUNTER_AND_COPY = 1.9;
const MOST_RUNS = 16;
const RUN = /^pieces\.\d+\.run$/;

/** Memory that `trainTokenizer` takes for that many distinct pieces of so many bytes together, about. */
export const learningBytes = (numPieces: number, pieceBytes: number): number => (numPieces * LEARN_BYTES_A_PIECE + pieceBytes * LEARN_BYTES_A_BYTE) * (instructionSets().length > 0 ? 1 : WITHOUT_ADDON);

/**
 * Piece counts of a corpus of any size in bounded memory: when they outgrow it, they are written to a file in order of
 * their bytes, and the files are merged at the end. The counts are the same as without a limit.
 *
 * What BPE training works on is the distinct pieces, whose number grows with about the square root of the text: `pieces()`
 * says so before memory runs out when even these do not fit.
 *
 * @throws {ConfigError} when `memoryBytes` is too small; from `pieces()` when training would need more
 * @throws {FileError} when a run cannot be written: the disk is full, for example
 */
export function createSpilledPieceCounts({ pattern = "cl100k", directory, memoryBytes = totalmem() / 2, minPieceCount = 1 }: SpillOptions): SpilledPieceCounts {
  if (!(memoryBytes >= LEAST_BYTES)) throw new ConfigError(`piece counts: memoryBytes is ${memoryBytes}, expected at least ${LEAST_BYTES}. Raise it.`);
  const counts = createPieceCounts(pattern);
  let runs: string[] = [];
  let numWritten = 0;
  const pathOf = (run: number) => join(directory, `pieces.${run}.run`);
  const close = () => {
    for (const name of readdirSync(directory)) if (RUN.test(name)) rmSync(join(directory, name), { force: true });
    runs = [];
  };
  close();

  const write = (pieces: Iterable<CountedPiece>) => {
    const path = pathOf(numWritten++);
    writeRun(path, pieces);
    return path;
  };
  const spill = () => {
    runs.push(write(inOrder(counts.drain())));
    if (runs.length < MOST_RUNS) return;
    const old = runs;
    runs = [write(merged(old.map(readRun)))];
    for (const path of old) rmSync(path, { force: true });
  };
  const pieces = (): Pieces => {
    if (runs.length > 0 && counts.numPieces > 0) spill();
    let held = runs.length > 0 ? undefined : counts.pieces();
    const all = () => (held ? inOrder(held) : merged(runs.map(readRun)));
    let numPieces = 0;
    let pieceBytes = 0;
    for (const { bytes, count } of all()) {
      if (count < minPieceCount) continue;
      numPieces++;
      pieceBytes += bytes.length;
    }
    const needed = learningBytes(numPieces, pieceBytes) + pieceBytes + GIVEN_BYTES_A_PIECE * numPieces;
    if (needed > memoryBytes || pieceBytes >= 2 ** 32) {
      throw new ConfigError(
        `piece counts: training on ${numPieces} distinct pieces of ${pieceBytes} bytes needs about ${Math.ceil(needed / 2 ** 20)} MiB, expected at most ${Math.floor(memoryBytes / 2 ** 20)} MiB. ` +
          "Raise memoryBytes, or leave out rare pieces with minPieceCount.",
      );
    }
    // What is counted stays where it is while training goes on, unless there is no room for both.
    if (held && needed + COUNTER_AND_COPY * counts.heldBytes > memoryBytes) {
      held = undefined;
      spill();
    }
    if (held && minPieceCount <= 1) return held;
    const result = { bytes: new Uint8Array(pieceBytes), offsets: new Uint32Array(numPieces + 1), counts: new Float64Array(numPieces) };
    let at = 0;
    for (const { bytes, count } of all()) {
      if (count < minPieceCount) continue;
      result.bytes.set(bytes, result.offsets[at]);
      result.counts[at] = count;
      result.offsets[at + 1] = result.offsets[at]! + bytes.length;
      at++;
    }
    return result;
  };

  return {
    pattern,
    add(document) {
      counts.add(document);
      if (counts.heldBytes * PEAK_OF_COUNTING > memoryBytes) spill();
    },
    get numPieces() {
      return counts.numPieces;
    },
    get heldBytes() {
      return counts.heldBytes;
    },
    get numRuns() {
      return numWritten;
    },
    pieces,
    drain() {
      const drained = pieces();
      counts.drain();
      close();
      return drained;
    },
    close,
  };
}
