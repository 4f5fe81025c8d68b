import { existsSync } from "node:fs";
import { join } from "node:path";
import { ConfigError, FileError } from "@espalier/core";
import { describe, expect, it } from "vitest";
import { writeHuggingFaceTokenizer } from "../formats/huggingFace/write.ts";
import { writeTokenizerJson } from "../formats/json.ts";
import { writeTiktoken } from "../formats/tiktoken.ts";
import { temporaryDirectory } from "../testing/temporary.ts";
import { trainTokenizer } from "../train/trainTokenizer.ts";
import { encoding } from "./encoding.ts";
import { loadTokenizer } from "./loadTokenizer.ts";

const trained = trainTokenizer([Buffer.from("the loss falls while the model grows. ".repeat(40))], { vocabSize: 300 });

describe("loadTokenizer", () => {
  it.each([["cl100k", "cl100k_base"], ["o200k_base", "o200k_base"], ["gpt2", "gpt2"]] as const)("knows %s", async (name, full) => {
    expect(await loadTokenizer(name)).toBe(encoding(full));
  });

  it("reads its own files, those of Hugging Face and .tiktoken, to the same ids", async () => {
    const directory = temporaryDirectory({
      "own.json": writeTokenizerJson(trained),
      "theirs.json": writeHuggingFaceTokenizer(trained),
      "ranks.tiktoken": writeTiktoken(trained.ranks),
      "gpt2.tiktoken": writeTiktoken(encoding("gpt2").ranks),
    });
    const text = "The model's loss falls,\n\n  while 1234 grow.";
    for (const name of ["own.json", "theirs.json", "ranks.tiktoken"]) {
      const tokenizer = await loadTokenizer(join(directory, name));
      expect([...tokenizer.encode(text)]).toEqual([...trained.encode(text)]);
      expect(tokenizer.specialId("<|endoftext|>")).toBe(trained.specialId("<|endoftext|>"));
    }
    expect(await loadTokenizer(join(directory, "gpt2.tiktoken"))).toBe(encoding("gpt2")); // by its ranks: pattern and special token come along
    expect((await loadTokenizer(join(directory, "ranks.tiktoken"), { pattern: "gpt2" })).pattern).toBe("gpt2");
  });

  it("says what a missing, foreign or unfit file is", async () => {
    const directory = temporaryDirectory({ "text.json": "{}", "text.tiktoken": "hello world" });
    await expect(loadTokenizer(join(directory, "none"))).rejects.toThrow(/none.*Names that need no file: cl100k, o200k, gpt2\./s);
    await expect(loadTokenizer(join(directory, "text.json"))).rejects.toThrow(FileError);
    await expect(loadTokenizer(join(directory, "text.tiktoken"))).rejects.toThrow(/line 1 is "hello world"/);
    await expect(loadTokenizer("cl100k", { pattern: "cl200k" as "gpt2" })).rejects.toThrow(ConfigError);
  });

  const sentencePiece = join(import.meta.dirname, "../../../../../shared/data/models/tinystories-656k/tokenizer.json");
  it.skipIf(!existsSync(sentencePiece))("reads a tokeniser of characters (needs the shared model files)", async () => {
    const tokenizer = await loadTokenizer(sentencePiece);
    expect(tokenizer.decodeText(tokenizer.encode("Once upon a time"))).toBe("Once upon a time");
    expect(tokenizer.specialId("<|end_story|>")).toBeLessThan(tokenizer.vocabSize);
  });
});
