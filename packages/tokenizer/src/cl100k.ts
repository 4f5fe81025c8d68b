import { readCompactRanks } from "./formats/compactRanks.ts";
import { createTokenizer, type Tokenizer } from "./tokenizer.ts";

/** Separator between documents, in cl100k_base and by default in trained vocabularies. */
export const END_OF_TEXT = "<|endoftext|>";

/** Special tokens of cl100k_base. Source: tiktoken, `tiktoken_ext/openai_public.py`. */
const CL100K_SPECIAL_TOKENS: ReadonlyMap<string, number> = new Map([
  [END_OF_TEXT, 100257],
  ["<|fim_prefix|>", 100258],
  ["<|fim_middle|>", 100259],
  ["<|fim_suffix|>", 100260],
  ["<|endofprompt|>", 100276],
]);

/**
 * cl100k_base from the bytes of this package's `cl100k_base.ranks` file, decompressed. FLM-101B was trained on this
 * vocabulary (arXiv:2309.03852, section 3.1: 100,256 tokens).
 *
 * @throws {FileError} when the bytes are not that file's
 */
export function cl100kFromRanks(block: Uint8Array): Tokenizer {
  return createTokenizer({
    name: "cl100k_base",
    ranks: readCompactRanks(block, "cl100k_base"),
    specialTokens: CL100K_SPECIAL_TOKENS,
  });
}

/**
 * cl100k_base from `cl100k_base.ranks.gz` as a browser gets it:
 *
 *     cl100kFromGzip(await (await fetch(url)).bytes())
 */
export async function cl100kFromGzip(compressed: Uint8Array<ArrayBuffer>): Promise<Tokenizer> {
  const stream = new Blob([compressed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return cl100kFromRanks(new Uint8Array(await new Response(stream).arrayBuffer()));
}
