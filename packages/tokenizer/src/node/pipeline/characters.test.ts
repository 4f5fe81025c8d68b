import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runKilled } from "../../testing/killedRun.ts";
import { llamaFile } from "../../testing/llamaFile.ts";
import { temporaryDirectory } from "../../testing/temporary.ts";
import { cl100k } from "../encoding.ts";
import { textTokenizer } from "../../formats/huggingFace/textTokenizer.ts";
import { joinSlices } from "../joinSlices.ts";
import { loadTokenizer } from "../loadTokenizer.ts";
import { openCorpus } from "../manifest.ts";
import { prepareCorpus, type PrepareCorpusOptions } from "../prepareCorpus.ts";

const text = (i: number) => `the end ${i} of a 語 ${(i * 7919).toString(36)} \u{1f600}\n`.repeat(20 + (i % 7) * 40);
const files = { "llama.json": llamaFile(), ...Object.fromEntries([0, 1, 2].map((f) => [`in/${f}.jsonl`, Array.from({ length: 300 }, (_, i) => JSON.stringify({ text: text(f * 300 + i) })).join("\n")])) };
const shards = (directory: string) => Object.fromEntries(readdirSync(directory).filter((name) => name !== ".lock").map((name) => [name, readFileSync(join(directory, name)).toString("latin1")]));

async function options(root: string, directory: string, more: Partial<PrepareCorpusOptions> = {}): Promise<PrepareCorpusOptions> {
  return { inputs: [join(root, "in")], directory: join(root, directory), tokenizer: await loadTokenizer(join(root, "llama.json")), separator: "</s>", validationShare: 0.1, ...more };
}

describe("prepareCorpus with a tokeniser of characters", () => {
  it("gives the same files on one thread, in workers, by WebAssembly and by TypeScript, and in slices; the texts are in them", async () => {
    const root = temporaryDirectory(files);
    const whole = await prepareCorpus(await options(root, "whole"));
    const { train, validation, tokenizer } = await openCorpus(join(root, "whole"));
    const end = tokenizer.specialId("</s>");
    const documents: string[] = [];
    for (const { tokens } of [train, validation]) {
      for (let from = 0; from < tokens.length; ) {
        const to = tokens.indexOf(end, from);
        documents.push(tokenizer.decodeText(tokens.subarray(from, to)));
        from = to + 1;
      }
    }
    expect(documents.toSorted()).toEqual(Array.from({ length: 900 }, (_, i) => text(i)).toSorted());
    expect(await prepareCorpus(await options(root, "workers", { workers: 2 }))).toEqual(whole);
    for (const encoder of ["wasm", "typescript"] as const) {
      expect(await prepareCorpus(await options(root, encoder, { tokenizer: textTokenizer(llamaFile(), join(root, "llama.json"), encoder) }))).toEqual(whole);
    }
    for (const each of ["workers", "wasm", "typescript"]) expect(shards(join(root, each))).toEqual(shards(join(root, "whole")));
    const parts = [0, 1, 2].map((index) => join(root, `slice${index}`));
    for (const [index, directory] of parts.entries()) await prepareCorpus(await options(root, "", { directory, slice: { index, count: 3 } }));
    expect(await joinSlices(parts, join(root, "joined"))).toEqual(whole);
    expect(shards(join(root, "joined"))).toEqual(shards(join(root, "whole")));
  }, 120_000);

  it("goes on after a kill, and refuses the corpus of another tokeniser", async () => {
    const root = temporaryDirectory(files);
    const run = { input: join(root, "in"), workers: 1, nearDuplicates: false, tokenizer: { path: join(root, "llama.json"), separator: "</s>" } };
    expect(await runKilled({ ...run, directory: join(root, "whole") })).toBe(true);
    let numKills = 0;
    while (!(await runKilled({ ...run, directory: join(root, "killed"), kill: { operation: 14 + 5 * numKills } }))) numKills++;
    expect(numKills).toBeGreaterThan(0);
    expect(shards(join(root, "killed"))).toEqual(shards(join(root, "whole")));
    await expect(prepareCorpus(await options(root, "foreign", { tokenizer: cl100k() }))).rejects.toThrow(/no special token "<\/s>"/);
  }, 120_000);
});
