import { nativePieceCounts } from "#native";
import { type PatternName, patterns } from "../pretokenize/patterns.ts";
import { hashBytes } from "../vocabulary.ts";

/** Distinct pieces with the number of their occurrences, in any order. */
export interface Pieces {
  /** The pieces end to end. */
  bytes: Uint8Array;
  /** Piece `i` is `bytes[offsets[i] .. offsets[i + 1])`. */
  offsets: Uint32Array;
  /** Occurrences of each piece: whole numbers, exact to 2^53, so that no corpus overflows them. */
  counts: Float64Array;
}

/**
 * How often each piece of the pretokenising pattern occurs in a corpus: all that a BPE trainer needs to know of it.
 * Memory grows with the number of distinct pieces, not with the corpus; see `createSpilledPieceCounts` of `/node` for corpora
 * where that, too, is too much.
 */
export interface PieceCounts {
  readonly pattern: PatternName;
  /** Counts the pieces of one document. */
  add(document: Uint8Array): void;
  readonly numPieces: number;
  /** Memory in use, about. */
  readonly heldBytes: number;
  pieces(): Pieces;
  /** The pieces so far, which are then forgotten. */
  drain(): Pieces;
}

/** Counts of an empty corpus: in the addon where it is built, else in TypeScript. */
export function createPieceCounts(pattern: PatternName = "cl100k"): PieceCounts {
  return nativePieceCounts(pattern) ?? typescriptPieceCounts(pattern);
}

/** Offsets of pieces from their lengths. */
export function offsetsOf(lengths: Uint32Array): Uint32Array {
  const offsets = new Uint32Array(lengths.length + 1);
  for (let i = 0; i < lengths.length; i++) offsets[i + 1] = offsets[i]! + lengths[i]!;
  return offsets;
}

export function typescriptPieceCounts(pattern: PatternName): PieceCounts {
  const { pieceEnd } = patterns[pattern];
  let numPieces = 0;
  let bytes = new Uint8Array();
  let offsets = new Uint32Array();
  let counts = new Float64Array();
  let hashes = new Int32Array();
  let slots = new Int32Array(); // open addressing, at most half full
  const clear = () => {
    numPieces = 0;
    bytes = new Uint8Array(1 << 16);
    offsets = new Uint32Array((1 << 12) + 1);
    counts = new Float64Array(1 << 12);
    hashes = new Int32Array(1 << 12);
    slots = new Int32Array(1 << 13).fill(-1);
  };
  clear();

  const grow = () => {
    const capacity = counts.length * 2;
    counts = enlarged(counts, new Float64Array(capacity));
    hashes = enlarged(hashes, new Int32Array(capacity));
    offsets = enlarged(offsets, new Uint32Array(capacity + 1));
    slots = new Int32Array(capacity * 2).fill(-1);
    for (let piece = 0; piece < numPieces; piece++) {
      let slot = hashes[piece]! & (slots.length - 1);
      while (slots[slot]! >= 0) slot = (slot + 1) & (slots.length - 1);
      slots[slot] = piece;
    }
  };
  const isPiece = (piece: number, document: Uint8Array, start: number, end: number): boolean => {
    const at = offsets[piece]!;
    if (offsets[piece + 1]! - at !== end - start) return false;
    for (let i = start; i < end; i++) if (bytes[at + i - start] !== document[i]) return false;
    return true;
  };
  const count = (document: Uint8Array, start: number, end: number) => {
    const hash = hashBytes(document, start, end);
    let slot = hash & (slots.length - 1);
    for (; slots[slot]! >= 0; slot = (slot + 1) & (slots.length - 1)) {
      const piece = slots[slot]!;
      if (hashes[piece] === hash && isPiece(piece, document, start, end)) {
        counts[piece]!++;
        return;
      }
    }
    const at = offsets[numPieces]!;
    while (at + end - start > bytes.length) bytes = enlarged(bytes, new Uint8Array(bytes.length * 2));
    bytes.set(document.subarray(start, end), at);
    offsets[numPieces + 1] = at + end - start;
    hashes[numPieces] = hash;
    counts[numPieces] = 1;
    slots[slot] = numPieces++;
    if (numPieces === counts.length) grow();
  };

  const pieces = (): Pieces => ({
    bytes: bytes.subarray(0, offsets[numPieces]),
    offsets: offsets.subarray(0, numPieces + 1),
    counts: counts.subarray(0, numPieces),
  });

  return {
    pattern,
    add(document) {
      for (let start = 0; start < document.length; ) {
        const end = pieceEnd(document, start);
        count(document, start, end);
        start = end;
      }
    },
    get numPieces() {
      return numPieces;
    },
    get heldBytes() {
      return bytes.byteLength + offsets.byteLength + counts.byteLength + hashes.byteLength + slots.byteLength;
    },
    pieces,
    drain() {
      const drained = pieces();
      clear();
      return drained;
    },
  };
}

function enlarged<A extends Uint8Array | Int32Array | Uint32Array | Float64Array>(from: A, to: A): A {
  to.set(from);
  return to;
}
