/** The trainer of Hugging Face's npm package, on our patterns. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Tokenizer } from "tokenizers";
import { createTokenizer, type PatternName, ranksOf, writeHuggingFaceTokenizer } from "../src/index.ts";

export interface HuggingFaceTraining {
  /** Left and right of every merge, as GPT-2's printable characters. */
  merges: [string, string][];
  /** Different characters of the text: the tokens that training begins with. */
  alphabetSize: number;
}

const bytes = ranksOf(Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte)));

/**
 * Trains on a text file, line by line, as the package does. Its binding takes no options: 30,000 tokens, no minimum
 * frequency. It uses all cores.
 */
export function trainHuggingFace(file: string, pattern: PatternName): () => HuggingFaceTraining {
  const untrained = writeHuggingFaceTokenizer(createTokenizer({ name: "bytes", ranks: bytes, specialTokens: new Map(), pattern }));
  const tokenizer = Tokenizer.fromString(untrained);
  tokenizer.train([file]);
  return () => {
    const directory = mkdtempSync(join(tmpdir(), "espalier-bench-"));
    try {
      tokenizer.save(join(directory, "tokenizer.json"));
      const { model } = JSON.parse(readFileSync(join(directory, "tokenizer.json"), "utf8")) as { model: { merges: [string, string][]; vocab: Record<string, number> } };
      return { merges: model.merges, alphabetSize: Object.keys(model.vocab).filter((token) => token.length === 1).length };
    } finally {
      rmSync(directory, { recursive: true });
    }
  };
}
