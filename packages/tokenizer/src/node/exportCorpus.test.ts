import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DataError, random } from "@espalier/core";
import { describe, expect, it } from "vitest";
import { temporaryDirectory } from "../testing/temporary.ts";
import { trainTokenizer } from "../train/trainTokenizer.ts";
import { encoding } from "./encoding.ts";
import { exportCorpus } from "./exportCorpus.ts";
import { openCorpus } from "./manifest.ts";
import { prepareCorpus, type PrepareCorpusOptions } from "./prepareCorpus.ts";
import { readTokens } from "./writers/readTokens.ts";
import { type TokenFormat, tokenFormats } from "./writers/writeTokens.ts";

const draw = random(12, "export");
const texts = Array.from({ length: 60 }, (_, i) => Array.from({ length: 40 }, (_, at) => draw.derive(i).integer(at, 5000).toString(36)).join(" "));

async function prepared(more: Partial<PrepareCorpusOptions> = {}): Promise<string> {
  const root = temporaryDirectory({ "in.jsonl": texts.map((text) => `${JSON.stringify({ text })}\n`).join("") });
  await prepareCorpus({ inputs: [join(root, "in.jsonl")], directory: join(root, "out"), tokenizer: encoding("gpt2"), validationShare: 0.2, ...more });
  return join(root, "out");
}

async function idsOf(format: TokenFormat, stem: string): Promise<number[]> {
  const ids: number[] = [];
  for await (const document of readTokens(format, stem, { vocabSize: 50257 })) ids.push(...document.ids);
  return ids;
}

describe("exportCorpus", () => {
  it.each(Object.keys(tokenFormats).filter((format) => format !== "llm.c") as TokenFormat[])("writes both sides as %s", async (format) => {
    const directory = await prepared();
    const { files } = await exportCorpus(directory, format);
    const { train, validation } = await openCorpus(directory);
    expect(await idsOf(format, join(directory, format, "train"))).toEqual([...train.tokens]);
    expect(await idsOf(format, join(directory, format, "validation"))).toEqual([...validation.tokens]);
    for (const { name, bytes } of files) expect(statSync(join(directory, format, name)).size).toBe(bytes);
  });

  it("gives llm.c the validation shard first, and documents that begin with the separator", async () => {
    const directory = await prepared();
    await exportCorpus(directory, "llm.c");
    expect(readdirSync(join(directory, "llm.c")).toSorted()).toEqual(["corpus_train_000001.bin", "corpus_val_000000.bin", "files.json"]);
    const { train, validation } = await openCorpus(directory);
    const rotated = ({ tokens }: typeof train) => [50256, ...tokens.subarray(0, -1)];
    expect(await idsOf("llm.c", join(directory, "llm.c", "corpus"))).toEqual([...rotated(validation), ...rotated(train)]);
  });

  it("leaves what is whole, and writes again what is not or belongs to another corpus", async () => {
    const directory = await prepared();
    await exportCorpus(directory, "nanogpt");
    const file = join(directory, "nanogpt", "train.bin");
    const { mtimeMs } = statSync(file);
    const whole = readFileSync(file);
    await exportCorpus(directory, "nanogpt");
    expect(statSync(file).mtimeMs).toBe(mtimeMs);
    writeFileSync(file, Buffer.alloc(whole.length));
    await exportCorpus(directory, "nanogpt");
    expect(readFileSync(file).equals(whole)).toBe(true);
    await prepareCorpus({ inputs: [join(directory, "../in.jsonl")], directory, tokenizer: encoding("gpt2"), validationShare: 0.5 });
    await exportCorpus(directory, "nanogpt");
    expect(readFileSync(file).length).toBeLessThan(whole.length);
  });

  it("refuses a slice", async () => {
    const directory = await prepared({ slice: { index: 0, count: 2 } });
    await expect(exportCorpus(directory, "megatron")).rejects.toThrow(DataError);
  });

  it("puts the separator that was asked for behind documents", async () => {
    const plain = trainTokenizer([Buffer.from(texts.join(" "))], { vocabSize: 300, specialTokens: ["</s>", "<s>"] });
    await expect(prepared({ tokenizer: plain })).rejects.toThrow(/no special token "<\|endoftext\|>"|<\|endoftext\|>/);
    for (const tokenizer of [plain, { vocabSize: 300 }]) {
      const { manifest, train, tokenizer: stored } = await openCorpus(await prepared({ tokenizer, separator: "</s>" }));
      expect(manifest.separator).toBe("</s>");
      expect(train.tokens.at(-1)).toBe(stored.specialId("</s>"));
    }
  });
});
