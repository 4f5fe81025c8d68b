import { ConfigError, DataError } from "@espalier/core";
import { mergerOf } from "./merge.ts";
import { cachedMerge } from "./pieceCache.ts";
import { pieceEnd } from "./pretokenize.ts";
import { sha256Hex } from "./sha256.ts";
import { type Ranks, vocabularyOf } from "./vocabulary.ts";

/** What a tokeniser is made of. */
export interface TokenizerDefinition {
  /** For people; not part of the digest. */
  name: string;
  ranks: Ranks;
  /** Text to id of tokens that stand outside the ranks, e.g. the document separator. */
  specialTokens: ReadonlyMap<string, number>;
}

export interface EncodeOptions {
  /**
   * What a special token's text inside the input means: `text` (the default) encodes it like any other text, so that a
   * document cannot forge a separator; `recognize` turns it into the special token's id.
   */
  special?: "text" | "recognize";
}

/**
 * Byte-level BPE with the cl100k pretokenising pattern.
 *
 * Input is UTF-8 bytes or a string. Bytes that are not valid UTF-8 are kept: `decode(encode(bytes))` always equals
 * `bytes`. In strings a lone surrogate becomes U+FFFD, as everywhere in the Web.
 */
export interface Tokenizer {
  readonly name: string;
  readonly ranks: Ranks;
  readonly specialTokens: ReadonlyMap<string, number>;
  /** All ids are below this: the number of rows of an embedding. */
  readonly vocabSize: number;
  /** sha256, in hex, over pattern, tokens and special tokens; equal digests give equal ids for every text. */
  readonly digest: string;
  encode(input: Uint8Array | string, options?: EncodeOptions): Uint32Array;
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

/**
 * A tokeniser from its definition.
 *
 * @throws {DataError} when the ranks do not hold all 256 bytes, or a token twice
 * @throws {ConfigError} when a special token's id is also the id of an ordinary or another special token
 */
export function createTokenizer({ name, ranks, specialTokens }: TokenizerDefinition): Tokenizer {
  const vocabulary = vocabularyOf(ranks, name);
  const merge = cachedMerge(vocabulary, mergerOf(vocabulary));
  const specialById = new Map<number, Uint8Array>();
  for (const [text, id] of specialTokens) {
    if (!Number.isInteger(id) || id < vocabulary.size || specialById.has(id) || text === "") {
      throw new ConfigError(
        `${name}: special token ${JSON.stringify(text)} has id ${id}, expected a text with an id of its own, at least ${vocabulary.size}. Change its id.`,
      );
    }
    specialById.set(id, utf8.encode(text));
  }
  const vocabSize = Math.max(vocabulary.size - 1, ...specialById.keys()) + 1;
  let scratch = new Uint32Array(1 << 12);
  let digest: string | undefined;

  /** Appends the ids of ordinary text to `scratch` from `at` on. */
  const append = (bytes: Uint8Array, at: number): number => {
    if (at + bytes.length > scratch.length) {
      const larger = new Uint32Array(Math.max(at + bytes.length, scratch.length * 2));
      larger.set(scratch.subarray(0, at));
      scratch = larger;
    }
    const out = scratch;
    let written = at;
    for (let start = 0; start < bytes.length; ) {
      const end = pieceEnd(bytes, start);
      written = merge(bytes, start, end, out, written);
      start = end;
    }
    return written;
  };
  const appendWithSpecial = (bytes: Uint8Array): number => {
    let written = 0;
    let plain = 0;
    for (let i = 0; i < bytes.length; i++) {
      const id = longestSpecialAt(bytes, i, specialById);
      if (id < 0) continue;
      written = append(bytes.subarray(plain, i), written);
      if (written === scratch.length) scratch = grown(scratch);
      scratch[written++] = id;
      plain = i + specialById.get(id)!.length;
      i = plain - 1;
    }
    return append(bytes.subarray(plain), written);
  };
  const encodeToScratch = (input: Uint8Array | string, special: EncodeOptions["special"]): number => {
    const bytes = typeof input === "string" ? utf8.encode(input) : input;
    return special === "recognize" && specialById.size > 0 ? appendWithSpecial(bytes) : append(bytes, 0);
  };
  const tokenBytes = (id: number): Uint8Array => {
    if (id >= 0 && id < vocabulary.size) return ranks.bytes.subarray(ranks.offsets[id]!, ranks.offsets[id + 1]!);
    const special = specialById.get(id);
    if (special) return special;
    throw new DataError(`${name}: id ${id} is no token, expected one of ${vocabulary.size} tokens or ${specialById.size} special tokens. Was the text encoded with another tokenizer?`);
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
    ranks,
    specialTokens,
    vocabSize,
    get digest() {
      return (digest ??= digestOf(ranks, specialTokens));
    },
    encode(input, { special = "text" } = {}) {
      const length = encodeToScratch(input, special); // may replace `scratch` by a larger one
      return scratch.slice(0, length);
    },
    count: (input) => encodeToScratch(input, "text"),
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

function grown(array: Uint32Array): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(array.length * 2);
  larger.set(array);
  return larger;
}

function digestOf({ bytes, offsets }: Ranks, specialTokens: ReadonlyMap<string, number>): string {
  const special = [...specialTokens].sort(([, a], [, b]) => a - b);
  const header = utf8.encode(JSON.stringify({ pattern: "cl100k", tokens: offsets.length - 1, special }));
  const lengths = Uint8Array.from({ length: (offsets.length - 1) * 4 }, (_, i) => {
    const length = offsets[(i >> 2) + 1]! - offsets[i >> 2]!;
    return (length >>> (8 * (i & 3))) & 0xff;
  });
  const message = new Uint8Array(header.length + lengths.length + bytes.length);
  message.set(header);
  message.set(lengths, header.length);
  message.set(bytes, header.length + lengths.length);
  return sha256Hex(message);
}
