import { readCompactRanks } from "./formats/compactRanks.ts";
import type { PatternName } from "./pretokenize/patterns.ts";
import { createTokenizer, type Tokenizer } from "./tokenizer.ts";

/** Separator between documents, in the published encodings and by default in trained vocabularies. */
export const END_OF_TEXT = "<|endoftext|>";

/** Encodings whose ranks come with this package. */
export type EncodingName = "cl100k_base" | "o200k_base" | "gpt2";

/** Source: tiktoken, `tiktoken_ext/openai_public.py`. */
const encodings: Readonly<Record<EncodingName, { pattern: PatternName; specialTokens: Readonly<Record<string, number>> }>> = {
  cl100k_base: {
    pattern: "cl100k",
    specialTokens: {
      [END_OF_TEXT]: 100257,
      "<|fim_prefix|>": 100258,
      "<|fim_middle|>": 100259,
      "<|fim_suffix|>": 100260,
      "<|endofprompt|>": 100276,
    },
  },
  o200k_base: { pattern: "o200k", specialTokens: { [END_OF_TEXT]: 199999, "<|endofprompt|>": 200018 } },
  gpt2: { pattern: "gpt2", specialTokens: { [END_OF_TEXT]: 50256 } },
};

/**
 * A published encoding from the bytes of this package's `<name>.ranks` file, decompressed.
 *
 * @throws {FileError} when the bytes are not such a file's
 */
export function encodingFromRanks(name: EncodingName, block: Uint8Array): Tokenizer {
  const { pattern, specialTokens } = encodings[name];
  return createTokenizer({ name, pattern, ranks: readCompactRanks(block, name), specialTokens: new Map(Object.entries(specialTokens)) });
}

/**
 * The same from `<name>.ranks.gz` as a browser gets it:
 *
 *     encodingFromGzip("o200k_base", await (await fetch(url)).bytes())
 */
export async function encodingFromGzip(name: EncodingName, compressed: Uint8Array<ArrayBuffer>): Promise<Tokenizer> {
  const stream = new Blob([compressed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return encodingFromRanks(name, new Uint8Array(await new Response(stream).arrayBuffer()));
}

/** cl100k_base, on whose 100,256 tokens FLM-101B was trained (arXiv:2309.03852, section 3.1). */
export const cl100kFromRanks = (block: Uint8Array): Tokenizer => encodingFromRanks("cl100k_base", block);

export const cl100kFromGzip = (compressed: Uint8Array<ArrayBuffer>): Promise<Tokenizer> => encodingFromGzip("cl100k_base", compressed);
