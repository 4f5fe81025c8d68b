import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { ConfigError } from "@espalier/core";
import { instructionSets } from "#native";
import type { PatternName } from "../../pretokenize/patterns.ts";
import { createPieceCounts, type PieceCounts, type Pieces } from "../../train/pieceCounts.ts";
import { usableMemoryBytes } from "../usableMemory.ts";
import { type CountedPiece, inOrder, merged, readRun, writeRun } from "./runs.ts";

export interface SpillOptions {
  pattern?: PatternName;
  /** Where counts go that do not fit. The folder is there; files `pieces.<n>.run` of an earlier call are removed. */
  directory: string;
  /** What counting and then training may take. Default: half of what this process may use (a container's limit counts); at least 16 MiB. */
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

/** Counts up to this are told apart when a floor is sought that fits. */
const LARGEST_FLOOR = 64;

/** How many pieces there are of each count, and how many bytes they have: what training on them would need. */
class Census {
  readonly #minPieceCount: number;
  readonly #pieces = new Float64Array(LARGEST_FLOOR + 1);
  readonly #bytes = new Float64Array(LARGEST_FLOOR + 1);
  numPieces = 0;
  pieceBytes = 0;

  constructor(minPieceCount: number) {
    this.#minPieceCount = minPieceCount;
  }

  /** The same pieces, looked at on their way. */
  *over(pieces: Iterable<CountedPiece>): Generator<CountedPiece> {
    for (const piece of pieces) {
      const { bytes, count } = piece;
      const place = Math.min(count, LARGEST_FLOOR);
      this.#pieces[place]!++;
      this.#bytes[place]! += bytes.length;
      if (count >= this.#minPieceCount) {
        this.numPieces++;
        this.pieceBytes += bytes.length;
      }
      yield piece;
    }
  }

  neededBytes(numPieces = this.numPieces, pieceBytes = this.pieceBytes): number {
    return learningBytes(numPieces, pieceBytes) + pieceBytes + GIVEN_BYTES_A_PIECE * numPieces;
  }

  /** @throws {ConfigError} when training needs more, naming the lowest floor of which it would not */
  expectRoom(memoryBytes: number): void {
    const fits = (needed: number, bytes: number) => needed <= memoryBytes && bytes < 2 ** 32;
    const needed = this.neededBytes();
    if (fits(needed, this.pieceBytes)) return;
    let numPieces = 0;
    let pieceBytes = 0;
    let floor: number | undefined;
    for (let count = LARGEST_FLOOR; count > this.#minPieceCount; count--) {
      numPieces += this.#pieces[count]!;
      pieceBytes += this.#bytes[count]!;
      if (!fits(this.neededBytes(numPieces, pieceBytes), pieceBytes)) break;
      floor = count;
    }
    const mebibytes = (bytes: number) => bytes / 2 ** 20;
    throw new ConfigError(
      `piece counts: training on ${this.numPieces} distinct pieces of ${this.pieceBytes} bytes needs about ${Math.ceil(mebibytes(needed))} MiB, expected at most ${Math.floor(mebibytes(memoryBytes))} MiB. ` +
        `Raise memoryBytes, or leave out rare pieces with minPieceCount${floor === undefined ? "" : ` (at least ${floor}, by what was counted so far)`}; of the command: --memory, --min-piece-count.`,
    );
  }
}

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
export function createSpilledPieceCounts({ pattern = "cl100k", directory, memoryBytes = usableMemoryBytes() / 2, minPieceCount = 1 }: SpillOptions): SpilledPieceCounts {
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
    const census = new Census(minPieceCount);
    runs = [write(census.over(merged(old.map(readRun))))];
    for (const path of old) rmSync(path, { force: true });
    census.expectRoom(memoryBytes); // counts only rise: what does not fit now never will, and the rest need not be read
  };
  const pieces = (): Pieces => {
    if (runs.length > 0 && counts.numPieces > 0) spill();
    let held = runs.length > 0 ? undefined : counts.pieces();
    const all = () => (held ? inOrder(held) : merged(runs.map(readRun)));
    const census = new Census(minPieceCount);
    for (const _ of census.over(all())); // counted, no more
    census.expectRoom(memoryBytes);
    const { numPieces, pieceBytes } = census;
    const needed = census.neededBytes();
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
