import { DataError } from "@espalier/core";
import type { Tokenizer } from "../../tokenizer.ts";
import { bytesToCharacters } from "./byteCharacters.ts";
import { regexesOf } from "./regexes.ts";
import { splitsOf } from "./splits.ts";

/**
 * A tokeniser as a Hugging Face `tokenizer.json`: byte-level BPE, merges as pairs, special tokens as added tokens.
 *
 * @throws {DataError} when no joins lead to a token, which a list of merges cannot say
 */
export function writeHuggingFaceTokenizer(tokenizer: Tokenizer): string {
  if (tokenizer.huggingFace !== undefined) return tokenizer.huggingFace; // it is one
  const { ranks, ids, name } = tokenizer;
  const names = Array.from({ length: ranks.offsets.length - 1 }, (_, rank) => bytesToCharacters(ranks.bytes.subarray(ranks.offsets[rank]!, ranks.offsets[rank + 1]!)));
  const merges = splitsOf(ranks, name).flatMap((split, rank) => {
    if (names[rank]!.length === 1) return [];
    if (!split) throw new DataError(`${name}: no joins lead to token ${rank}, expected some. It can only be written as .tiktoken.`);
    return [[names[split[0]]!, names[split[1]]!]];
  });
  const vocab = names.map((token, rank): [string, number] => [token, ids ? ids[rank]! : rank]).sort(([, a], [, b]) => a - b);
  const added = [...tokenizer.specialTokens].sort(([, a], [, b]) => a - b);
  const file = {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: added.map(([content, id]) => ({ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true })),
    normalizer: null,
    pre_tokenizer: {
      type: "Sequence",
      pretokenizers: [
        { type: "Split", pattern: { Regex: regexesOf[tokenizer.pattern!][0] }, behavior: "Removed", invert: true },
        { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: false },
      ],
    },
    post_processor: null,
    decoder: { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: false },
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(vocab),
      merges,
    },
  };
  return `${JSON.stringify(file)}\n`;
}
