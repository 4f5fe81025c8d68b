import { ConfigError, DataError } from "@espalier/core";
import { nativeEncodeCore } from "#native";
import { webAssemblyEncodeCore } from "#wasm";
import { type EncodeCore, OUTPUT_SLACK, typescriptEncodeCore } from "./encodeCore.ts";
import type { PatternName } from "./pretokenize/patterns.ts";
import { sha256Hex } from "./sha256.ts";
import type { Ranks } from "./vocabulary.ts";

/** What a tokeniser is made of. */
export interface TokenizerDefinition {
  /** For people; not part of the digest. */
  name: string;
  ranks: Ranks;
  /** Text to id of tokens that stand outside the ranks, e.g. the document separator. */
  specialTokens: ReadonlyMap<string, number>;
  /** Id of every rank, where they differ: vocabularies that begin with special tokens, for example. */
  ids?: Uint32Array;
  /** How text is cut before merging. Default `cl100k`. */
  pattern?: PatternName;
  /**
   * Which encoder runs. Same ids. `auto`, the default: the addon's where it is built for this platform, else the
   * WebAssembly one, else the one in TypeScript. `wasm` and `typescript` leave out what is before them.
   */
  encoder?: "auto" | "wasm" | "typescript";
}

export interface EncodeOptions {
  /**
   * What a special token's text inside the input means: `text` (the default) encodes it like any other text, so that a
   * document cannot forge a separator; `recognize` turns it into the special token's id.
   */
  special?: "text" | "recognize";
}

export interface EncodeDocumentsOptions {
  /** Id that is put behind every document. Default: none. */
  separator?: number;
  /** Memory for the ids, used where it has room for one id for each byte and each document, and 16 more. Default: memory of their own. */
  out?: Uint32Array;
}

export interface EncodedDocuments {
  /** End to end; lie in `out` where that had room. */
  ids: Uint32Array;
  /** Where the ids of each document end, its separator included `[documents]`. */
  ends: Uint32Array;
}

/**
 * Byte-level BPE over the pieces of a pretokenising pattern.
 *
 * Input is UTF-8 bytes or a string. Bytes that are not valid UTF-8 are kept: `decode(encode(bytes))` always equals
 * `bytes`. In strings a lone surrogate becomes U+FFFD, as everywhere in the Web.
 */
export interface Tokenizer {
  readonly name: string;
  /** Absent: `huggingFace` says how text is cut. */
  readonly pattern?: PatternName;
  /** Which encoder runs. */
  readonly encoder: EncodeCore["kind"];
  readonly ranks: Ranks;
  /** Id of every rank; absent when each rank is its own id. */
  readonly ids?: Uint32Array;
  readonly specialTokens: ReadonlyMap<string, number>;
  /** Text of the `tokenizer.json` that gives the ids, of a tokeniser over characters or behind a normaliser; `ranks` are then only the text behind each token. */
  readonly huggingFace?: string;
  /** All ids are below this: the number of rows of an embedding. */
  readonly vocabSize: number;
  /** sha256, in hex, over pattern, tokens and special tokens; equal digests give equal ids for every text. */
  readonly digest: string;
  encode(input: Uint8Array | string, options?: EncodeOptions): Uint32Array;
  /**
   * Ids of many documents in one call, which spares most of what a call costs besides encoding. Special tokens' texts are
   * text.
   *
   * @param bytes  the documents end to end
   * @param ends   where each ends `[documents]`, rising
   */
  encodeDocuments(bytes: Uint8Array, ends: Uint32Array, options?: EncodeDocumentsOptions): EncodedDocuments;
  /** Number of tokens of the text, special tokens taken as text. */
  count(input: Uint8Array | string): number;
  /** Bytes of the ids; special tokens give their text. Throws `DataError` on an id that is not in the vocabulary. */
  decode(ids: ArrayLike<number>): Uint8Array;
  /** The same as text; bytes that are not valid UTF-8 become U+FFFD. */
  decodeText(ids: ArrayLike<number>): string;
  /** Bytes of one token. */
  tokenBytes(id: number): Uint8Array;
  /** Id of a special token by its text; throws `ConfigError` when there is none. */
  specialId(text: string): number;
}

const utf8 = new TextEncoder();
/** Elements of scratch memory kept between calls. */
const KEPT_SCRATCH = 1 << 20;

/**
 * A tokeniser from its definition.
 *
 * @throws {DataError} when the ranks do not hold all 256 bytes, or a token twice
 * @throws {ConfigError} when a special token's id is also the id of an ordinary or another special token
 */
export function createTokenizer({ name, ranks, specialTokens, ids, pattern = "cl100k", encoder = "auto" }: TokenizerDefinition): Tokenizer {
  const core =
    (encoder === "auto" ? nativeEncodeCore(ranks, pattern) : undefined) ??
    (encoder === "typescript" ? undefined : webAssemblyEncodeCore(ranks, pattern)) ??
    typescriptEncodeCore(ranks, pattern, name);
  return tokenizerOf({ name, ranks, specialTokens, ids, pattern }, core);
}

/** A tokeniser around an encoder that was made from the same ranks and pattern. */
export function tokenizerOf(
  { name, ranks, specialTokens, ids, pattern = "cl100k" }: Omit<TokenizerDefinition, "encoder">,
  core: EncodeCore,
): Tokenizer {
  const numRanks = ranks.offsets.length - 1;
  const rankById = ids && ranksById(ids, numRanks, name);
  const rankOf = (id: number): number | undefined => (rankById ? rankById.get(id) : id >= 0 && id < numRanks ? id : undefined);
  const specialById = new Map<number, Uint8Array>();
  for (const [text, id] of specialTokens) {
    if (!Number.isInteger(id) || id < 0 || rankOf(id) !== undefined || specialById.has(id) || text === "") {
      throw new ConfigError(
        `${name}: special token ${JSON.stringify(text)} has id ${id}, expected a text with an id of its own${ids ? "" : `, at least ${numRanks}`}. Change its id.`,
      );
    }
    specialById.set(id, utf8.encode(text));
  }
  const largestId = ids ? ids.reduce((a, b) => Math.max(a, b), 0) : numRanks - 1;
  const vocabSize = Math.max(largestId, ...specialById.keys()) + 1;
  let scratch = new Uint32Array(1 << 12);
  let utf8Scratch = new Uint8Array(1 << 12);
  let digest: string | undefined;

  const reserve = (length: number, kept: number): void => {
    if (length <= scratch.length) return;
    const larger = new Uint32Array(Math.max(length, scratch.length * 2));
    larger.set(scratch.subarray(0, kept));
    scratch = larger;
  };
  /** Appends the ids of ordinary text to `scratch` from `at` on. */
  const append = (bytes: Uint8Array, at: number): number => {
    reserve(at + bytes.length + OUTPUT_SLACK, at);
    const end = at + core.encode(bytes, at === 0 ? scratch : scratch.subarray(at));
    if (ids) for (let i = at; i < end; i++) scratch[i] = ids[scratch[i]!]!;
    return end;
  };
  const appendWithSpecial = (bytes: Uint8Array): number => {
    let written = 0;
    let plain = 0;
    for (let i = 0; i < bytes.length; i++) {
      const id = longestSpecialAt(bytes, i, specialById);
      if (id < 0) continue;
      written = append(bytes.subarray(plain, i), written);
      reserve(written + 1, written);
      scratch[written++] = id;
      plain = i + specialById.get(id)!.length;
      i = plain - 1;
    }
    return append(bytes.subarray(plain), written);
  };
  /** The UTF-8 of a string in memory that the next call overwrites. */
  const utf8Of = (text: string): Uint8Array => {
    if (text.length * 3 > utf8Scratch.length) utf8Scratch = new Uint8Array(text.length * 3); // at most 3 bytes a UTF-16 unit
    return utf8Scratch.subarray(0, utf8.encodeInto(text, utf8Scratch).written);
  };
  const encodeToScratch = (input: Uint8Array | string, special: EncodeOptions["special"]): number => {
    const bytes = typeof input === "string" ? utf8Of(input) : input;
    return special === "recognize" && specialById.size > 0 ? appendWithSpecial(bytes) : append(bytes, 0);
  };
  /** One long text must not hold its memory for ever. */
  const shrink = (): void => {
    if (scratch.length > KEPT_SCRATCH) scratch = new Uint32Array(1 << 12);
    if (utf8Scratch.length > KEPT_SCRATCH) utf8Scratch = new Uint8Array(1 << 12);
  };
  const tokenBytes = (id: number): Uint8Array => {
    const rank = rankOf(id);
    if (rank !== undefined) return ranks.bytes.subarray(ranks.offsets[rank]!, ranks.offsets[rank + 1]!);
    const special = specialById.get(id);
    if (special) return special;
    throw new DataError(`${name}: id ${id} is no token, expected one of ${numRanks} tokens or ${specialById.size} special tokens. Was the text encoded with another tokenizer?`);
  };
  const decode = (ids: ArrayLike<number>): Uint8Array => {
    let length = 0;
    for (let i = 0; i < ids.length; i++) length += tokenBytes(ids[i]!).length;
    const bytes = new Uint8Array(length);
    for (let i = 0, at = 0; i < ids.length; i++) {
      const token = tokenBytes(ids[i]!);
      bytes.set(token, at);
      at += token.length;
    }
    return bytes;
  };

  return {
    name,
    pattern,
    encoder: core.kind,
    ranks,
    ...(ids && { ids }),
    specialTokens,
    vocabSize,
    get digest() {
      return (digest ??= digestOf(ranks, specialTokens, pattern, ids));
    },
    encode(input, { special = "text" } = {}) {
      const length = encodeToScratch(input, special); // may replace `scratch` by a larger one
      const ids = scratch.slice(0, length);
      shrink();
      return ids;
    },
    encodeDocuments(bytes, textEnds, { separator = -1, out } = {}) {
      const room = bytes.length + textEnds.length + OUTPUT_SLACK;
      const idEnds = new Uint32Array(textEnds.length);
      if (core.encodeDocuments && !ids) {
        const usesOut = out !== undefined && out.length >= room;
        if (!usesOut) reserve(room, 0);
        const target = usesOut ? out : scratch;
        const length = core.encodeDocuments(bytes, textEnds, separator, target, idEnds);
        const found = usesOut ? target.subarray(0, length) : target.slice(0, length);
        shrink();
        return { ids: found, ends: idEnds };
      }
      let written = 0;
      let start = 0;
      textEnds.forEach((end, i) => {
        if (end < start || end > bytes.length) throw new RangeError(`${name}: document ${i} ends at ${end}, expected ${start} to ${bytes.length}. Give ends that rise.`);
        written = append(bytes.subarray(start, end), written);
        reserve(written + 1, written);
        if (separator >= 0) scratch[written++] = separator;
        idEnds[i] = written;
        start = end;
      });
      const found = out !== undefined && out.length >= room ? out.subarray(0, written) : new Uint32Array(written);
      found.set(scratch.subarray(0, written));
      shrink();
      return { ids: found, ends: idEnds };
    },
    count(input) {
      const length = encodeToScratch(input, "text");
      shrink();
      return length;
    },
    decode,
    decodeText: (ids) => new TextDecoder("utf-8", { ignoreBOM: true }).decode(decode(ids)),
    tokenBytes,
    specialId(text) {
      const id = specialTokens.get(text);
      if (id !== undefined) return id;
      throw new ConfigError(`${name}: no special token ${JSON.stringify(text)}, it has ${[...specialTokens.keys()].join(" ") || "none"}. Use one of those.`);
    },
  };
}

function ranksById(ids: Uint32Array, numRanks: number, name: string): Map<number, number> {
  const found = new Map(Array.from(ids, (id, rank) => [id, rank]));
  if (ids.length === numRanks && found.size === numRanks) return found;
  throw new DataError(`${name}: ${found.size} ids, expected one of its own for each of ${numRanks} tokens. Make the vocabulary again.`);
}

function longestSpecialAt(bytes: Uint8Array, at: number, specialById: ReadonlyMap<number, Uint8Array>): number {
  let found = -1;
  let length = 0;
  for (const [id, text] of specialById) {
    if (text[0] !== bytes[at] || text.length <= length || at + text.length > bytes.length) continue;
    if (text.every((byte, i) => byte === bytes[at + i])) {
      found = id;
      length = text.length;
    }
  }
  return found;
}

function digestOf({ bytes, offsets }: Ranks, specialTokens: ReadonlyMap<string, number>, pattern: PatternName, ids?: Uint32Array): string {
  const special = [...specialTokens].sort(([, a], [, b]) => a - b);
  const header = utf8.encode(JSON.stringify({ pattern, tokens: offsets.length - 1, special, ...(ids && { ids: [...ids] }) }));
  const numTokens = offsets.length - 1;
  const message = new Uint8Array(header.length + 4 * numTokens + bytes.length);
  message.set(header);
  const lengths = new DataView(message.buffer, header.length);
  for (let rank = 0; rank < numTokens; rank++) lengths.setUint32(4 * rank, offsets[rank + 1]! - offsets[rank]!, true);
  message.set(bytes, header.length + 4 * numTokens);
  return sha256Hex(message);
}
