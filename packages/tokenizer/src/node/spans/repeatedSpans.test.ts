import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { random } from "@espalier/core";
import { describe, expect, it } from "vitest";
import { sentencesOf } from "../../clean/sentences.ts";
import { runKilled } from "../../testing/killedRun.ts";
import { temporaryDirectory } from "../../testing/temporary.ts";
import { cl100k } from "../encoding.ts";
import { joinSlices } from "../joinSlices.ts";
import { openCorpus } from "../manifest.ts";
import { prepareCorpus, type PrepareCorpusOptions } from "../prepareCorpus.ts";
import { readDocumentEnds } from "../shard.ts";

const draw = random(6, "sentences").sequence();
const words = Array.from({ length: 400 }, () => draw.integer(1e7).toString(36));
const sentence = () => `${Array.from({ length: 3 + draw.integer(6) }, () => draw.pick(words)).join(" ")}.`;
const stock = Array.from({ length: 90 }, sentence); // boilerplate
/** Documents with spans of the stock between sentences of their own; some of nothing else, some that are copies. */
const texts: string[] = [];
for (let i = 0; i < 900; i++) {
  if (i % 50 === 49) {
    texts.push(texts[draw.integer(texts.length)]!);
    continue;
  }
  const parts: string[] = [];
  for (let k = 1 + draw.integer(4); k > 0; k--) {
    const from = draw.integer(stock.length - 5);
    parts.push(...stock.slice(from, from + 2 + draw.integer(4)));
    if (i % 9 > 0) parts.push(...Array.from({ length: 1 + draw.integer(5) }, sentence));
  }
  texts.push(parts.join(i % 4 === 0 ? "\n" : " "));
}
const files = Object.fromEntries(Array.from({ length: 6 }, (_, f) => [`in/${f}.jsonl`, texts.slice(f * 150, f * 150 + 150).map((text) => `${JSON.stringify({ text })}\n`).join("")]));

/** By definition, over strings: copies first, then spans of the documents that stay, then the sentences that go. */
function expectedTexts(all: readonly string[]): string[][] {
  const kept = [...new Set(all)];
  const split = kept.map((text) => {
    const { ends } = sentencesOf(Buffer.from(text));
    return Array.from(ends, (end, i) => Buffer.from(text).subarray(i === 0 ? 0 : ends[i - 1]!, end).toString().trim());
  });
  const firsts = new Map<string, [document: number, sentence: number]>();
  const gone = split.map(() => new Set<number>());
  for (const [d, list] of split.entries()) {
    for (let i = 0; i + 3 <= list.length; i++) {
      const key = list.slice(i, i + 3).join(" ");
      const first = firsts.get(key);
      if (!first) firsts.set(key, [d, i]);
      else for (let k = first[0] === d ? Math.max(i, first[1] + 3) : i; k < i + 3; k++) gone[d]!.add(k);
    }
  }
  return split.map((list, d) => list.filter((_, i) => !gone[d]!.has(i))).filter((list, d) => gone[d]!.size === 0 || list.length >= 3);
}

const options = (root: string, name: string): PrepareCorpusOptions & { directory: string } => ({
  inputs: [join(root, "in")],
  directory: join(root, name),
  tokenizer: cl100k(),
  validationShare: 0.1,
  repeatedSpans: {},
});
const filesOf = (directory: string) => Object.fromEntries(readdirSync(directory).filter((name) => name !== ".lock").map((name) => [name, readFileSync(join(directory, name)).toString("latin1")]));

async function textsOf(directory: string): Promise<string[]> {
  const { train, validation, tokenizer } = await openCorpus(directory);
  const found: string[] = [];
  for (const shard of [train, validation]) {
    let start = 0;
    for (const end of await readDocumentEnds(shard)) {
      found.push(tokenizer.decodeText(shard.tokens.subarray(start, end - 1)));
      start = end;
    }
  }
  return found;
}

describe("prepareCorpus with repeatedSpans", () => {
  it("leaves the sentences that the definition leaves, counted and shown, for any number of workers", async () => {
    const root = temporaryDirectory(files);
    const manifest = await prepareCorpus(options(root, "whole"));
    const expected = expectedTexts(texts);
    const flat = (list: readonly string[]) => list.map((text) => text.replace(/\s+/g, " ").trim()).toSorted();
    expect(flat(await textsOf(join(root, "whole")))).toEqual(flat(expected.map((list) => list.join(" "))));

    const { documents, droppedSamples } = manifest;
    const numGone = new Set(texts).size - expected.length;
    expect(numGone).toBeGreaterThan(20);
    expect(documents.dropped).toEqual({ "repeated-spans": numGone });
    expect(documents.repeatedSentences).toBeGreaterThan(1000);
    expect(documents.train + documents.validation).toBe(expected.length);
    const shown = droppedSamples.filter(({ rule }) => rule === "repeated-spans");
    expect(shown).toHaveLength(5);
    for (const { source, detail, excerpt } of shown) {
      expect(source).toMatch(/^in\/\d\.jsonl:\d+$/);
      expect(detail).toMatch(/^\d+ of \d+ sentences are in spans seen before(; [012] are left)?$/);
      expect(stock.some((each) => excerpt!.startsWith(each))).toBe(true);
    }
    expect(readdirSync(join(root, "whole")).filter((name) => /repeated|spans/.test(name))).toEqual([]);

    for (const workers of [1, 2]) {
      expect(await prepareCorpus({ ...options(root, `workers${workers}`), workers })).toEqual(manifest);
      expect(filesOf(join(root, `workers${workers}`))).toEqual(filesOf(join(root, "whole")));
    }
    const little = await prepareCorpus({ ...options(root, "little"), repeatedSpans: { memoryBytes: 1 << 16 } });
    expect(little).toEqual(manifest);
    expect((await prepareCorpus({ ...options(root, "other"), repeatedSpans: { sentences: 4 } })).digest).not.toBe(manifest.digest);
  }, 120_000);

  it("gives the files of one run when slices are joined, near copies included", async () => {
    const root = temporaryDirectory(files);
    const more = { nearDuplicates: { memoryBytes: 1 << 22 }, clean: { mask: ["ip" as const] } };
    const whole = await prepareCorpus({ ...options(root, "whole"), ...more });
    for (const count of [1, 3]) {
      const parts = Array.from({ length: count }, (_, index) => join(root, `slice${index}of${count}`));
      for (const [index, directory] of parts.entries()) await prepareCorpus({ ...options(root, "whole"), ...more, directory, slice: { index, count } });
      expect(await joinSlices(parts.toReversed(), join(root, `joined${count}`))).toEqual(whole);
      expect(filesOf(join(root, `joined${count}`))).toEqual(filesOf(join(root, "whole")));
    }
  }, 120_000);

  it("trains a vocabulary on what is left", async () => {
    const root = temporaryDirectory(files);
    const manifest = await prepareCorpus({ ...options(root, "own"), tokenizer: { vocabSize: 400 } });
    expect(manifest.documents).toEqual((await prepareCorpus(options(root, "whole"))).documents);
  }, 60_000);

  it("goes on to the same files after kills, in the pass that looks for spans and in the one that encodes", async () => {
    const root = temporaryDirectory(files);
    const run = { input: join(root, "in"), repeatedSpans: true };
    expect(await runKilled({ ...run, directory: join(root, "whole"), workers: 0 })).toBe(true);
    for (const [round, operation] of [3, 9, 16, 24].entries()) {
      const directory = join(root, `killed${round}`);
      expect(await runKilled({ ...run, directory, workers: round % 2, kill: { operation } })).toBe(false);
      expect(await runKilled({ ...run, directory, workers: 0 })).toBe(true);
      expect(filesOf(directory)).toEqual(filesOf(join(root, "whole")));
    }
  }, 120_000);
});
