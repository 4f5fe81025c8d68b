import { FileError } from "@espalier/core";
import { MinHeap, POSITIONS } from "../../merge.ts";
import { mergePairs, type TokenizerFile } from "./file.ts";

/** Two ids in one number: exact in a double for ids below 2^26. */
export const PAIR = 2 ** 26;

/** What stands behind the tokens of a text. */
export interface Coverage {
  /** Bytes of UTF-8 of each token. */
  lengths: number[];
  /** Bytes of characters that got no token since the last one; they count as the next token's. Begins at 0. */
  lead: number;
}

/** What a file says of BPE over characters. */
export interface CharacterTables {
  idOf: ReadonlyMap<string, number>;
  unknown: number | undefined;
  fuseUnknown: boolean;
  byteFallback: boolean;
  /** Token `<0x..>` of each byte, where there is one. */
  bytes: readonly (number | undefined)[];
  /** By left and right token, as `left * PAIR + right`. */
  pairs: ReadonlyMap<number, { rank: number; id: number }>;
}

export type CharacterMerge = (text: string, coverage?: Coverage) => number[];

/** @throws {FileError} when a merge names a token that is not there */
export function characterTables(file: TokenizerFile, where: string): CharacterTables {
  const { vocab, unk_token: unknownToken, fuse_unk: fuseUnknown = false, byte_fallback: byteFallback = false } = file.model;
  const idOf = new Map(Object.entries(vocab));
  const need = (token: string): number => {
    const id = idOf.get(token);
    if (id !== undefined) return id;
    throw new FileError(`${where}: token ${JSON.stringify(token)} is not in the vocabulary, but is named in it. The file is damaged.`);
  };
  const unknown = unknownToken == null ? undefined : need(unknownToken);
  const bytes = Array.from({ length: 256 }, (_, byte) => idOf.get(`<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`));
  const pairs = new Map<number, { rank: number; id: number }>();
  for (const [rank, [left, right]] of mergePairs(file, where).entries()) {
    pairs.set(need(left) * PAIR + need(right), { rank, id: need(left + right) });
  }
  return { idOf, unknown, fuseUnknown, byteFallback, bytes, pairs };
}

/**
 * The symbols that characters begin as, in order: function from text to ids; `lengths` gets the bytes behind each when there
 * is a `coverage`.
 */
function symbolsBy({ idOf, unknown, fuseUnknown, byteFallback, bytes }: CharacterTables): (text: string, lengths: number[], coverage?: Coverage) => number[] {
  const utf8 = new TextEncoder();
  return (text, lengths, coverage) => {
    const ids: number[] = [];
    const cover = (bytes: number): void => {
      if (!coverage) return;
      lengths.push(bytes + coverage.lead);
      coverage.lead = 0;
    };
    let afterUnknown = false;
    for (const character of text) {
      const id = idOf.get(character);
      const fallback = id === undefined && byteFallback ? Array.from(utf8.encode(character), (byte) => bytes[byte]) : [];
      const complete = fallback.length > 0 && fallback.every((byte) => byte !== undefined);
      if (id !== undefined) {
        ids.push(id);
        cover(utf8Length(character));
      } else if (complete) {
        ids.push(...(fallback as number[]));
        for (let i = 0; i < fallback.length; i++) cover(1);
      } else if (unknown !== undefined && !(afterUnknown && fuseUnknown)) {
        ids.push(unknown);
        cover(utf8Length(character));
      } else if (coverage && afterUnknown && unknown !== undefined) lengths[lengths.length - 1]! += utf8Length(character); // fused
      else if (coverage) coverage.lead += utf8Length(character); // there is no token for it
      afterUnknown = id === undefined && !complete;
    }
    return ids;
  };
}

/**
 * BPE over characters by a list of merges, as files converted from SentencePiece have it: the listed pair of lowest rank
 * is joined first, leftmost first. A character outside the vocabulary becomes the tokens `<0x..>` of its bytes when the
 * file has `byte_fallback` and all of them, else the unknown token, several in a row fused if the file says so.
 * n log n in the length of the text. What the core's native/core/character_bpe.cc is judged against.
 *
 * @returns a function from text to ids; given a `coverage`, it also writes there the bytes behind each id
 * @see Kudo & Richardson 2018, arXiv:1808.06226
 */
export function characterMerge(tables: CharacterTables): CharacterMerge {
  const { pairs } = tables;
  const symbolsOf = symbolsBy(tables);
  return (text, coverage) => {
    const lengths: number[] = [];
    const ids = symbolsOf(text, lengths, coverage);
    const length = ids.length;
    const next = Int32Array.from({ length }, (_, i) => i + 1);
    const previous = Int32Array.from({ length }, (_, i) => i - 1);
    const ranks = new Float64Array(length).fill(-1); // of the part with the one behind it
    const heap = new MinHeap(length * 3);
    const look = (here: number): void => {
      const after = next[here]!;
      const pair = after < length ? pairs.get(ids[here]! * PAIR + ids[after]!) : undefined;
      ranks[here] = pair ? pair.rank : -1;
      if (pair) heap.push(pair.rank * POSITIONS + here);
    };
    for (let i = 0; i < length; i++) look(i);
    while (heap.size > 0) {
      const key = heap.pop();
      const rank = Math.floor(key / POSITIONS);
      const here = key - rank * POSITIONS;
      if (ranks[here] !== rank) continue; // one of its parts has been joined to another since
      const joined = next[here]!;
      if (coverage) lengths[here]! += lengths[joined]!;
      ids[here] = pairs.get(ids[here]! * PAIR + ids[joined]!)!.id;
      ranks[joined] = -1;
      next[here] = next[joined]!;
      if (next[here]! < length) previous[next[here]!] = here;
      look(here);
      if (previous[here]! >= 0) look(previous[here]!);
    }
    const result: number[] = [];
    for (let i = 0; i < length; i = next[i]!) {
      result.push(ids[i]!);
      coverage?.lengths.push(lengths[i]!);
    }
    return result;
  };
}

/**
 * What `characterMerge` gives, from ids that another encoder found: each takes the next symbols whose texts are as long as its
 * own, for a merged token is the text of its two. Linear, and nothing is joined.
 *
 * @returns as `characterMerge` does, for the parts of one text in order; nothing for a vocabulary in which a token is empty or
 *   two have one id, where lengths do not tell
 */
export function characterWalk(tables: CharacterTables): ((ids: ArrayLike<number>) => CharacterMerge) | undefined {
  const unitsOf = new Map(Array.from(tables.idOf, ([token, id]) => [id, token.length]));
  if (unitsOf.size < tables.idOf.size || tables.idOf.has("")) return undefined;
  const symbolsOf = symbolsBy(tables);
  return (ids) => {
    let at = 0;
    return (text, coverage) => {
      const lengths: number[] = [];
      const symbols = symbolsOf(text, lengths, coverage);
      const found: number[] = [];
      for (let i = 0; i < symbols.length; ) {
        const id = ids[at++]!;
        let missing = unitsOf.get(id) ?? NaN;
        let bytes = 0;
        for (; missing > 0; i++) {
          missing -= unitsOf.get(symbols[i]!) ?? Infinity;
          bytes += lengths[i] ?? 0;
        }
        if (missing !== 0) throw new Error(`character BPE: token ${id} is not made of the characters where it stands`);
        found.push(id);
        coverage?.lengths.push(bytes);
      }
      return found;
    };
  };
}

/** Bytes of one character in UTF-8. */
function utf8Length(character: string): number {
  const codePoint = character.codePointAt(0)!;
  return codePoint < 0x80 ? 1 : codePoint < 0x800 ? 2 : codePoint < 0x10000 ? 3 : 4;
}
