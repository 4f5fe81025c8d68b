import { ConfigError, DataError } from "@espalier/core";
import { sha256Hex } from "../../sha256.ts";
import type { EncodedDocuments, Tokenizer } from "../../tokenizer.ts";
import { type Ranks, ranksOf } from "../../vocabulary.ts";
import { isByteLevel, readByteLevel } from "./byteLevel.ts";
import type { CharacterEncoderKind } from "./characterCore.ts";
import { parseTokenizerFile, stepsOf, type TokenizerFile } from "./file.ts";
import { readHuggingFaceTokenizer } from "./read.ts";

const utf8 = new TextEncoder();

/**
 * A `tokenizer.json` of Hugging Face whose BPE is over characters or behind a normaliser, with what preparing a corpus and
 * training ask of a tokeniser. Texts must be UTF-8; bytes that are none become U+FFFD, and `decode` gives what the file's
 * decoder gives, which need not be every byte of the text.
 *
 * `ranks` are the bytes of text that each token stands for, `▁a` as ` a` and `<0x0A>` as a line feed; there is no `pattern`.
 *
 * @param where names the file in errors, and the tokeniser
 * @throws {FileError} as `readHuggingFaceTokenizer` does
 */
export function textTokenizer(json: string, where: string, encoder: CharacterEncoderKind = "auto"): Tokenizer {
  const file = parseTokenizerFile(json, where);
  const inner = readHuggingFaceTokenizer(json, where, { encoder });
  const { specialTokens, vocabSize } = inner;
  const { ranks, ids } = bytesOf(file, new Set(specialTokens.values()), where);
  const rankOf = new Map(Array.from(ids, (id, rank) => [id, rank]));
  const textOf = new Map(Array.from(specialTokens, ([text, id]) => [id, text]));
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  let digest: string | undefined;
  const encode: Tokenizer["encode"] = (input, options) => inner.encode(typeof input === "string" ? input : decoder.decode(input), options);
  return {
    name: inner.name,
    encoder: inner.encoder,
    ranks,
    ids,
    specialTokens,
    vocabSize,
    huggingFace: json,
    get digest() {
      return (digest ??= digestOf(file));
    },
    encode,
    encodeDocuments(bytes, textEnds, { separator = -1, out } = {}): EncodedDocuments {
      const ends = new Uint32Array(textEnds.length);
      let start = 0;
      let size = 0;
      const found = Array.from(textEnds, (end, i) => {
        if (end < start || end > bytes.length) throw new RangeError(`${where}: document ${i} ends at ${end}, expected ${start} to ${bytes.length}. Give ends that rise.`);
        const own = encode(bytes.subarray(start, end));
        start = end;
        ends[i] = size += own.length + (separator >= 0 ? 1 : 0);
        return own;
      });
      const all = out !== undefined && out.length >= size ? out.subarray(0, size) : new Uint32Array(size);
      for (const [i, own] of found.entries()) {
        all.set(own, i === 0 ? 0 : ends[i - 1]!);
        if (separator >= 0) all[ends[i]! - 1] = separator;
      }
      return { ids: all, ends };
    },
    count: (input) => encode(input).length,
    decode: (ids) => utf8.encode(inner.decodeText(ids)),
    decodeText: (ids) => inner.decodeText(ids),
    tokenBytes(id) {
      const rank = rankOf.get(id);
      if (rank !== undefined) return ranks.bytes.subarray(ranks.offsets[rank]!, ranks.offsets[rank + 1]!);
      const special = textOf.get(id);
      if (special !== undefined) return utf8.encode(special);
      throw new DataError(`${where}: id ${id} is no token, expected one of ${ids.length} tokens or ${specialTokens.size} special tokens. Was the text encoded with another tokenizer?`);
    },
    specialId(text) {
      const id = specialTokens.get(text);
      if (id !== undefined) return id;
      throw new ConfigError(`${where}: no special token ${JSON.stringify(text)}, it has ${[...specialTokens.keys()].join(" ") || "none"}. Use one of those.`);
    },
  };
}

/** The text behind every token that is not special, lowest id first. */
function bytesOf(file: TokenizerFile, special: ReadonlySet<number>, where: string): { ranks: Ranks; ids: Uint32Array } {
  if (isByteLevel(file)) {
    const { ranks, ids } = readByteLevel(file, where, where);
    return { ranks, ids: ids ?? Uint32Array.from({ length: ranks.offsets.length - 1 }, (_, rank) => rank) };
  }
  const ordinary = Object.entries(file.model.vocab).filter(([, id]) => !special.has(id)).sort(([, a], [, b]) => a - b);
  const replacements = stepsOf(file.decoder, "decoders").flatMap((step): [string, string][] => {
    if (step.type === "Metaspace") return [[step["replacement"] as string, " "]];
    return step.type === "Replace" ? [[(step["pattern"] as { String: string }).String, step["content"] as string]] : [];
  });
  const tokens = ordinary.map(([token]) => {
    const byte = file.model.byte_fallback ? /^<0x([0-9A-F]{2})>$/.exec(token) : null;
    return byte ? Uint8Array.of(parseInt(byte[1]!, 16)) : utf8.encode(replacements.reduce((text, [from, to]) => text.replaceAll(from, () => to), token));
  });
  return { ranks: ranksOf(tokens), ids: Uint32Array.from(ordinary, ([, id]) => id) };
}

/** Of all that decides ids and their text. */
function digestOf({ added_tokens, normalizer, pre_tokenizer, decoder, model }: TokenizerFile): string {
  const added = added_tokens.map(({ id, content }) => [id, content]);
  return sha256Hex(utf8.encode(JSON.stringify({ huggingFace: { added, normalizer, pre_tokenizer, decoder, model } })));
}
