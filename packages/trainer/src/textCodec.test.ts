import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConfigError } from "@espalier/core";
import { ranksOf, createTokenizer } from "@espalier/tokenizer";
import { loadTokenizer, openCorpus, prepareCorpus } from "@espalier/tokenizer/node";
import { describe, expect, it } from "vitest";
import { corpusData } from "./data.ts";
import { codecOf } from "./textCodec.ts";

/** As Llama's files: characters, `▁` for a space, tokens of bytes, `</s>`. */
const file = JSON.stringify({
  added_tokens: ["<unk>", "</s>"].map((content, id) => ({ id, content })),
  normalizer: { type: "Sequence", normalizers: [{ type: "Prepend", prepend: "▁" }, { type: "Replace", pattern: { String: " " }, content: "▁" }] },
  pre_tokenizer: null,
  post_processor: null,
  decoder: { type: "Sequence", decoders: [{ type: "Replace", pattern: { String: "▁" }, content: " " }, { type: "Fuse" }, { type: "Strip", content: " ", start: 1, stop: 0 }] },
  model: { type: "BPE", unk_token: "<unk>", vocab: Object.fromEntries(["<unk>", "</s>", ..."▁abcdefghijklmnopqrstuvwxyz", "▁t", "▁th"].map((token, id) => [token, id])), merges: [["▁", "t"], ["▁t", "h"]] },
});

describe("a corpus of a Llama-style tokenizer", () => {
  it("is opened for training, with bytes behind ids and its own end of documents", async () => {
    const root = mkdtempSync(join(tmpdir(), "espalier-llama-"));
    try {
      writeFileSync(join(root, "llama.json"), file);
      writeFileSync(join(root, "text.jsonl"), Array.from({ length: 60 }, (_, i) => JSON.stringify({ text: `the tree grows${" and grows".repeat(i)}` })).join("\n"));
      const tokenizer = await loadTokenizer(join(root, "llama.json"));
      const manifest = await prepareCorpus({ inputs: [join(root, "text.jsonl")], directory: join(root, "data"), tokenizer, separator: "</s>", validationShare: 0.2 });
      const data = corpusData(await openCorpus(join(root, "data")));
      expect(data.separator).toBe(1);
      const spaceT = tokenizer.encode("t")[0]!;
      expect([data.byteLengths[0], data.byteLengths[1], data.byteLengths[spaceT]]).toEqual([0, 0, 2]);
      expect(manifest.train.numTokens).toBeGreaterThan(1000);
      const codec = codecOf(tokenizer);
      expect([codec.startId, [...codec.endIds], codec.decodeText(codec.encode("the tree")), codec.isToken(1), codec.isToken(9999)]).toEqual([1, [1], "the tree", true, false]);
    } finally {
      rmSync(root, { recursive: true });
    }
  });

  it("has a codec only where some token ends documents", () => {
    const ranks = ranksOf(Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte)));
    expect(() => codecOf(createTokenizer({ name: "t", ranks, specialTokens: new Map() }))).toThrow(ConfigError);
  });
});
