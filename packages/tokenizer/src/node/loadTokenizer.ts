import { readFile } from "node:fs/promises";
import { ConfigError, FileError } from "@espalier/core";
import { fileError } from "@espalier/core/node";
import { END_OF_TEXT, type EncodingName } from "../encodings.ts";
import { nameOfFile } from "../formats/fileName.ts";
import { type HuggingFaceTokenizer, readHuggingFaceTokenizer } from "../formats/huggingFace/read.ts";
import { textTokenizer } from "../formats/huggingFace/textTokenizer.ts";
import { readTokenizerJson } from "../formats/json.ts";
import { readTiktoken } from "../formats/tiktoken.ts";
import { type PatternName, patterns } from "../pretokenize/patterns.ts";
import { createTokenizer, type Tokenizer } from "../tokenizer.ts";
import type { Ranks } from "../vocabulary.ts";
import { encoding } from "./encoding.ts";

const names: ReadonlyMap<string, EncodingName> = new Map([
  ["cl100k", "cl100k_base"],
  ["cl100k_base", "cl100k_base"],
  ["o200k", "o200k_base"],
  ["o200k_base", "o200k_base"],
  ["gpt2", "gpt2"],
]);

/** Names that `loadTokenizer` knows. */
export const tokenizerNames: readonly string[] = ["cl100k", "o200k", "gpt2"];

/**
 * A tokeniser by its name (`cl100k`, `o200k`, `gpt2`), or from a file: `tokenizer.json` of Espalier or of Hugging Face
 * (BPE over bytes or characters), or `.tiktoken`. A `.tiktoken` file holds ranks alone: those of a published encoding bring its pattern
 * and special tokens; others get the pattern named here and `<|endoftext|>` behind the last rank.
 *
 * @param pattern of a `.tiktoken` file that is not a published one; default `cl100k`
 * @throws {FileError} when the file is missing, damaged, or its model is not BPE
 * @throws {ConfigError} when the pattern is not known
 */
export async function loadTokenizer(nameOrPath: string, options: { pattern?: PatternName } = {}): Promise<Tokenizer> {
  return await load(nameOrPath, options, (text) => readHuggingFaceTokenizer(text, nameOrPath).byteLevel ?? textTokenizer(text, nameOrPath));
}

/**
 * The same; `tokenizer.json` files of Hugging Face whose BPE is over characters or behind a normaliser as what shows the names
 * and places of their tokens.
 *
 * @throws {FileError} when the file is missing, damaged, or its model is not BPE
 * @throws {ConfigError} when the pattern is not known
 */
export async function loadAnyTokenizer(nameOrPath: string, options: { pattern?: PatternName } = {}): Promise<Tokenizer | HuggingFaceTokenizer> {
  return await load(nameOrPath, options, (text) => {
    const tokenizer = readHuggingFaceTokenizer(text, nameOrPath);
    return tokenizer.byteLevel ?? tokenizer;
  });
}

async function load<Foreign>(nameOrPath: string, { pattern = "cl100k" }: { pattern?: PatternName }, readForeign: (text: string) => Foreign): Promise<Tokenizer | Foreign> {
  if (!Object.hasOwn(patterns, pattern)) throw new ConfigError(`tokenizer: pattern ${JSON.stringify(pattern)}, expected one of ${Object.keys(patterns).join(", ")}. Use one of those.`);
  const name = names.get(nameOrPath);
  if (name) return encoding(name);
  const text = await readFile(nameOrPath, "utf8").catch((error: unknown) => {
    const failed = fileError("reading tokenizer", nameOrPath, error);
    throw (error as NodeJS.ErrnoException).code === "ENOENT" ? new FileError(`${failed.message} Names that need no file: ${tokenizerNames.join(", ")}.`, { cause: error }) : failed;
  });
  if (!text.trimStart().startsWith("{")) return fromRanks(readTiktoken(text, nameOrPath), nameOfFile(nameOrPath), pattern);
  if (isOwn(text)) return readTokenizerJson(text, nameOrPath);
  return readForeign(text);
}

/** The format stands within the first bytes that `writeTokenizerJson` writes; others are parsed once, by their own reader. */
const isOwn = (text: string): boolean => /"format"\s*:\s*"espalier-tokenizer"/.test(text.slice(0, 200));

function fromRanks(ranks: Ranks, name: string, pattern: PatternName): Tokenizer {
  for (const published of new Set(names.values())) {
    const tokenizer = encoding(published);
    if (tokenizer.ranks.bytes.length === ranks.bytes.length && Buffer.from(tokenizer.ranks.bytes).equals(ranks.bytes)) return tokenizer;
  }
  return createTokenizer({ name, ranks, pattern, specialTokens: new Map([[END_OF_TEXT, ranks.offsets.length - 1]]) });
}
