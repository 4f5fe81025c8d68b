import { closeSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { fileError } from "@espalier/core/node";
import type { Pieces } from "../../train/pieceCounts.ts";

/** A piece with the number of its occurrences. */
export interface CountedPiece {
  bytes: Uint8Array;
  count: number;
}

// A record: length (u32), count (f64), bytes; little endian, ordered by the bytes.
const HEADER_BYTES = 12;
const BUFFER_BYTES = 1 << 20;

/** Bytes in order, unsigned, a beginning before what goes on. */
export function* inOrder({ bytes, offsets, counts }: Pieces): Generator<CountedPiece> {
  const piece = (i: number) => bytes.subarray(offsets[i]!, offsets[i + 1]!);
  const order = Uint32Array.from(counts, (_, i) => i);
  for (let i = 1; i < order.length; i++) {
    if (Buffer.compare(piece(i - 1), piece(i)) < 0) continue;
    order.sort((a, b) => Buffer.compare(piece(a), piece(b))); // the addon's are in order
    break;
  }
  for (const i of order) yield { bytes: piece(i), count: counts[i]! };
}

/** Writes pieces that come in order. */
export function writeRun(path: string, pieces: Iterable<CountedPiece>): void {
  let file: number | undefined;
  try {
    file = openSync(path, "w");
    let buffer = Buffer.alloc(BUFFER_BYTES);
    let filled = 0;
    const flush = () => {
      for (let from = 0; from < filled; ) from += writeSync(file!, buffer, from, filled - from);
      filled = 0;
    };
    for (const { bytes, count } of pieces) {
      const size = HEADER_BYTES + bytes.length;
      if (filled + size > buffer.length) flush();
      if (size > buffer.length) buffer = Buffer.alloc(size);
      buffer.writeUInt32LE(bytes.length, filled);
      buffer.writeDoubleLE(count, filled + 4);
      buffer.set(bytes, filled + HEADER_BYTES);
      filled += size;
    }
    flush();
  } catch (error) {
    rmSync(path, { force: true });
    throw fileError("writing", path, error);
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/** The pieces of a run, read through one buffer; each is valid until the next is asked for. */
export function* readRun(path: string): Generator<CountedPiece> {
  const file = openSync(path, "r");
  try {
    let buffer = Buffer.alloc(BUFFER_BYTES);
    let start = 0;
    let end = 0;
    /** Whether `size` bytes lie ahead in the buffer. */
    const reach = (size: number): boolean => {
      if (end - start >= size) return true;
      if (size > buffer.length) {
        const larger = Buffer.alloc(size);
        buffer.copy(larger, 0, start, end);
        buffer = larger;
      } else buffer.copyWithin(0, start, end);
      end -= start;
      start = 0;
      for (let got; end < size && (got = readSync(file, buffer, end, buffer.length - end, null)) > 0; ) end += got;
      return end >= size;
    };
    while (reach(HEADER_BYTES)) {
      const length = buffer.readUInt32LE(start);
      const count = buffer.readDoubleLE(start + 4);
      if (!reach(HEADER_BYTES + length)) throw fileError("reading", path, new Error("a run of piece counts ends inside a record"));
      yield { bytes: buffer.subarray(start + HEADER_BYTES, start + HEADER_BYTES + length), count };
      start += HEADER_BYTES + length;
    }
  } finally {
    closeSync(file);
  }
}

/** One ordered sequence of several, the counts of equal pieces added up. */
export function* merged(sources: readonly Iterable<CountedPiece>[]): Generator<CountedPiece> {
  const open = sources.map((source) => source[Symbol.iterator]());
  const heads = open.map((source) => source.next());
  try {
    for (;;) {
      let least: CountedPiece | undefined;
      for (const head of heads) if (!head.done && (!least || Buffer.compare(head.value.bytes, least.bytes) < 0)) least = head.value;
      if (!least) return;
      const bytes = Uint8Array.from(least.bytes); // the source it comes from goes on below
      let count = 0;
      for (const [i, head] of heads.entries()) {
        if (head.done || Buffer.compare(head.value.bytes, bytes) !== 0) continue;
        count += head.value.count;
        heads[i] = open[i]!.next();
      }
      yield { bytes, count };
    }
  } finally {
    for (const source of open) source.return?.();
  }
}
