import type { TokenReader } from "./batch.ts";
import type { DocumentEnds } from "./packedBatches.ts";

const PIECE_TOKENS = 1 << 20;

/**
 * Where documents end, found by the separator behind each; tokens behind the last one are a document too. For tokens that
 * no file of ends lies beside: shards have one (`openDocumentEnds`). Keeps 8 bytes a document.
 */
export function findDocumentEnds(tokens: Uint32Array | TokenReader, separator: number): DocumentEnds {
  const ends: number[] = [];
  const look = (ids: Uint32Array | Int32Array, start: number) => {
    for (let at = ids.indexOf(separator); at >= 0; at = ids.indexOf(separator, at + 1)) ends.push(start + at + 1);
  };
  if (tokens instanceof Uint32Array) look(tokens, 0);
  else {
    const piece = new Int32Array(Math.min(PIECE_TOKENS, tokens.length)); // one buffer serves them all
    for (let start = 0; start < tokens.length; start += PIECE_TOKENS) {
      const ids = piece.subarray(0, tokens.length - start);
      tokens.read(start, ids);
      look(ids, start);
    }
  }
  if (tokens.length > (ends.at(-1) ?? 0)) ends.push(tokens.length);
  return { length: ends.length, slice: (from, to) => ends.slice(from, to) };
}
