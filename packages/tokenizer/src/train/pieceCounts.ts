import { pieceEnd } from "../pretokenize/cl100k.ts";
import { hashBytes } from "../vocabulary.ts";

/**
 * How often each piece of the pretokenising pattern occurs in a corpus: all that a BPE trainer needs to know of it.
 * Memory grows with the number of distinct pieces, not with the corpus.
 */
export interface PieceCounts {
  /** Counts the pieces of one document. */
  add(document: Uint8Array): void;
  readonly numPieces: number;
  /** Distinct pieces end to end, in order of first occurrence. */
  readonly bytes: Uint8Array;
  /** Piece `i` is `bytes[offsets[i] .. offsets[i + 1])`. */
  readonly offsets: Uint32Array;
  /** Occurrences of each piece; doubles, so that no corpus overflows them. */
  readonly counts: Float64Array;
}

/** Counts of an empty corpus. */
export function createPieceCounts(): PieceCounts {
  let numPieces = 0;
  let bytes = new Uint8Array(1 << 16);
  let offsets = new Uint32Array((1 << 12) + 1);
  let counts = new Float64Array(1 << 12);
  let hashes = new Int32Array(1 << 12);
  let slots = new Int32Array(1 << 13).fill(-1); // open addressing, at most half full

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

  return {
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
    get bytes() {
      return bytes.subarray(0, offsets[numPieces]);
    },
    get offsets() {
      return offsets.subarray(0, numPieces + 1);
    },
    get counts() {
      return counts.subarray(0, numPieces);
    },
  };
}

function enlarged<A extends Uint8Array | Int32Array | Uint32Array | Float64Array>(from: A, to: A): A {
  to.set(from);
  return to;
}
