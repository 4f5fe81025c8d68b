import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { ngramsOf, writeNgrams, writeTokenizerJson } from "@espalier/tokenizer";
import { encoding, loadTokenizer, openCorpus, readManifest } from "@espalier/tokenizer/node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { documents, espalier, jsonLines, start, temporaryDirectory } from "../testing/run.ts";

const scratch = temporaryDirectory();
const at = (...names: string[]) => join(scratch, ...names);
afterAll(() => rmSync(scratch, { recursive: true }));
const shard = (directory: string) => readFileSync(at(directory, "train.bin"));
const failed = (sentence: RegExp, status = 1) => ({ status, stderr: expect.stringMatching(sentence) as string });

beforeAll(() => {
  mkdirSync(at("in"));
  const lines = documents(240).trim().split("\n");
  for (let i = 0; i < 4; i++) writeFileSync(at("in", `${i}.jsonl.gz`), gzipSync(`${lines.slice((i * lines.length) / 4, ((i + 1) * lines.length) / 4).join("\n")}\n`));
});

describe("espalier tokenize", () => {
  it("gives the same shards for one thread, for workers, and for slices that are joined", async () => {
    const common = ["--tokenizer", "gpt2", "--validation", "0.1", "--near-duplicates"];
    const [whole, workers, ...slices] = await Promise.all([
      espalier("tokenize", at("in"), "--out", at("whole"), ...common),
      espalier("tokenize", at("in"), "--out", at("workers"), ...common, "--workers", "2", "--json"),
      ...[1, 2].map((i) => espalier("tokenize", at("in"), "--out", at(`slice${i}`), ...common, "--slice", `${i}/2`)),
    ]);
    for (const ran of [whole, workers, ...slices]) expect(ran).toMatchObject({ status: 0, stderr: "" });
    expect(whole.stdout).toMatch(/^\d+ documents \(0 copies left out\), [\d,]+ training and [\d,]+ validation tokens, vocabulary 50,257, \d\.\d\d bytes a token\.$/m);
    expect(whole.stdout).toContain(`Next:\n  espalier train --data ${at("whole")} --out run`);
    expect(slices[0]!.stdout).toContain("Slice 1 of 2. When all are there: espalier tokenize --join");
    const joined = await espalier("tokenize", "--join", at("slice2"), at("slice1"), "--out", at("joined"), "--format", "megatron,llm.c");
    expect(joined).toMatchObject({ status: 0, stderr: "" });
    expect(joined.stdout).toContain("megatron: train.bin, train.idx, validation.bin, validation.idx in ");
    expect(readdirSync(at("joined", "llm.c"))).toContain("corpus_val_000000.bin");
    for (const other of ["workers", "joined"]) expect(shard(other).equals(shard("whole"))).toBe(true);
    const events = jsonLines(workers.stdout);
    expect(events.at(-1)).toMatchObject({ kind: "manifest" });
    expect(events.filter(({ kind }) => kind === "progress").at(-1)).toMatchObject({ task: "encode corpus", unit: "bytes", detail: expect.stringMatching(/^\d+ documents, \d+\.\d M tokens$/) as string });
  });

  it("takes tokenisers from files, and refuses what is none", async () => {
    writeFileSync(at("own.json"), writeTokenizerJson(encoding("gpt2")));
    const [fromFile, missing, pattern, vocab] = await Promise.all([
      espalier("tokenize", at("in", "0.jsonl.gz"), "--out", at("file"), "--tokenizer", at("own.json")),
      espalier("tokenize", at("in"), "--out", at("none"), "--tokenizer", at("nothing.json")),
      espalier("tokenize", at("in"), "--out", at("none"), "--tokenizer", "cl100k", "--pattern", "llama"),
      espalier("tokenize", at("in"), "--out", at("none"), "--slice", "1/2"),
    ]);
    expect(fromFile).toMatchObject({ status: 0, stderr: "" });
    expect((await openCorpus(at("file"))).tokenizer.digest).toBe(encoding("gpt2").digest);
    expect(missing).toMatchObject(failed(/^error .*nothing\.json.*Names that need no file: cl100k, o200k, gpt2\.\n$/));
    expect(pattern).toMatchObject({ status: 2, stderr: expect.stringMatching(/Allowed choices are cl100k, o200k, gpt2/) as string });
    expect(vocab).toMatchObject(failed(/--slice: no --tokenizer, expected one/, 2));
    expect(existsSync(at("none"))).toBe(false);
  });

  it.each(["Prepend", "Metaspace"])("takes Llama-style files: %s", async (kind) => {
    const bytes = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`);
    const merges = [["\u2581", "t"], ["h", "e"], ["\u2581t", "he"]];
    const tokens = [...new Set(["<unk>", "<s>", "</s>", ...bytes, ..."\u2581abcdefghijklmnopqrstuvwxyz", ...merges.map((pair) => pair.join(""))])];
    const replace = { type: "Replace", pattern: { String: " " }, content: "\u2581" };
    const file = {
      added_tokens: ["<unk>", "<s>", "</s>"].map((content, id) => ({ id, content })),
      normalizer: kind === "Prepend" ? { type: "Sequence", normalizers: [{ type: "Prepend", prepend: "\u2581" }, replace] } : null,
      pre_tokenizer: kind === "Metaspace" ? { type: "Metaspace", replacement: "\u2581", prepend_scheme: "first", split: false } : null,
      decoder: { type: "Sequence", decoders: [{ type: "Replace", pattern: { String: "\u2581" }, content: " " }, { type: "ByteFallback" }, { type: "Fuse" }, { type: "Strip", content: " ", start: 1, stop: 0 }] },
      model: { type: "BPE", unk_token: "<unk>", fuse_unk: true, byte_fallback: true, vocab: Object.fromEntries(tokens.map((token, id) => [token, id])), merges },
    };
    const texts = Array.from({ length: 20 }, (_, i) => `the end of text ${i}: tea \u00e9\u8a9e, then the rest`);
    mkdirSync(at(`${kind}-model`));
    writeFileSync(at(`${kind}-model`, "tokenizer.json"), JSON.stringify(file));
    writeFileSync(at(`${kind}.jsonl`), texts.map((text) => JSON.stringify({ text })).join("\n"));
    const ran = await espalier("tokenize", at(`${kind}.jsonl`), "--tokenizer", at(`${kind}-model`, "tokenizer.json"), "--separator", "</s>", "--validation", "0.5", "--out", at(kind));
    expect(ran).toMatchObject({ status: 0, stderr: "" });
    const { train, validation, tokenizer } = await openCorpus(at(kind));
    const library = await loadTokenizer(at(`${kind}-model`, "tokenizer.json"));
    const end = file.model.vocab["</s>"]!;
    const documentsOf = ({ tokens: ids }: { tokens: ArrayLike<number> }) => `${Array.from(ids).join(" ")} `.split(` ${end} `).slice(0, -1);
    expect([...documentsOf(train), ...documentsOf(validation)].sort()).toEqual(texts.map((text) => library.encode(text).join(" ")).sort());
    expect(texts.map((text) => tokenizer.decodeText(library.encode(text)))).toEqual(texts);
    // Where the file lay is nothing that a corpus records.
    expect(tokenizer.name).toBe(`${kind}-model`);
    expect(readFileSync(at(kind, "tokenizer.json"), "utf8")).not.toContain(scratch);
  });

  it("says that a corpus made of other inputs is replaced, and nothing where it is the same", async () => {
    const made = (input: string) => espalier("tokenize", at("in", input), "--out", at("twice"), "--tokenizer", "gpt2");
    const [first, same, other] = [await made("0.jsonl.gz"), await made("0.jsonl.gz"), await made("1.jsonl.gz")];
    expect(other).toMatchObject({ status: 0, stderr: "", stdout: expect.stringMatching(/twice holds another corpus \(\d+ documents, tokenizer gpt2\), made of other inputs or with other options: this one takes its place\.\n/) as string });
    for (const { stdout } of [first, same]) expect(stdout).not.toContain("holds another corpus");
  });

  it("takes out sentences that were seen before, and says so", async () => {
    const shared = "We use cookies. You may agree. Or you may not.";
    const lines = Array.from({ length: 30 }, (_, i) => JSON.stringify({ text: `Page ${i} begins. It is about ${i}. ${shared} It goes on with ${i * i}. So it ends ${i}.` }));
    writeFileSync(at("cookies.jsonl"), lines.join("\n"));
    const { status, stdout, stderr } = await espalier("tokenize", at("cookies.jsonl"), "--tokenizer", "gpt2", "--validation", "0.2", "--out", at("cookies"), "--repeated-spans");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toContain("87 sentences left out by repeated-spans");
    const { train, validation, tokenizer } = await openCorpus(at("cookies"));
    expect([train, validation].map(({ tokens }) => tokenizer.decodeText(tokens)).join("").split(shared)).toHaveLength(2);
  });

  it("cleans by rules, n-grams and masks, and says what went", async () => {
    const lines = [
      ...documents(20).trim().split("\n"),
      JSON.stringify({ text: "write to ada@example.org and to tom@example.org now" }),
      JSON.stringify({ text: "the question of the test is how many apples are left over in all of the baskets together" }),
      "{broken",
      JSON.stringify({ body: "no text" }),
    ];
    writeFileSync(at("mixed.jsonl"), lines.join("\n"));
    writeFileSync(at("test.ngrams"), writeNgrams(ngramsOf(["question of the test is how many apples are left over in all of the baskets"])));
    const command = ["tokenize", at("mixed.jsonl"), "--tokenizer", "gpt2", "--validation", "0.1"];
    writeFileSync(at("words.txt"), "tom@example.org\n\n");
    const [skipped, refused, quality, unknown, otherField, blocked] = await Promise.all([
      espalier(...command, "--out", at("clean"), "--ngrams", at("test.ngrams"), "--mask", "email,ip"),
      espalier(...command, "--out", at("refused"), "--on-bad-line", "refuse"),
      espalier(...command, "--out", at("quality"), "--quality", "all"),
      espalier(...command, "--out", at("unknown"), "--quality", "c4,gopher"),
      espalier(...command, "--out", at("field"), "--text-field", "content"),
      espalier(...command, "--out", at("blocked"), "--blocked-words", at("words.txt")),
    ]);
    expect(blocked.stdout).toMatch(/1 documents left out by blocked-words; for example mixed\.jsonl:\d+: word 8 is blocked/);
    expect(skipped).toMatchObject({ status: 0, stderr: "" });
    const { documents: counts } = await readManifest(at("clean"));
    expect(counts).toMatchObject({ malformed: 2, dropped: { ngrams: 1 }, masked: { email: 2 } });
    expect(skipped.stdout).toMatch(/2 malformed lines left out; the first: mixed\.jsonl:\d+: not JSON/);
    expect(skipped.stdout).toMatch(/1 documents left out by ngrams; for example mixed\.jsonl:\d+: 13 words from word 2 on/);
    expect(skipped.stdout).toContain("2 times email masked");
    expect(refused).toMatchObject(failed(/^error .*mixed\.jsonl:\d+: not JSON.*expected a record with text/));
    expect(quality).toMatchObject(failed(/^error corpus: all \d+ documents of .* were dropped.*c4/));
    expect(unknown).toMatchObject({ status: 2, stderr: expect.stringMatching(/"gopher" is not known\. Expected some of c4,gopher-repetition,gopher-quality,fineweb, or all\./) as string });
    expect(otherField).toMatchObject(failed(/no text in .*no string "content"/));
  });

  it("reads a damaged file up to the damage only when told so", async () => {
    const whole = gzipSync(documents(100));
    writeFileSync(at("cut.jsonl.gz"), whole.subarray(0, whole.length - 2000));
    const command = ["tokenize", at("cut.jsonl.gz"), "--tokenizer", "gpt2", "--out", at("cut")];
    expect(await espalier(...command)).toMatchObject(failed(/^error reading .*cut\.jsonl\.gz: the gzip data are damaged or cut short/));
    const skipped = await espalier(...command, "--on-damaged-file", "skip");
    expect(skipped).toMatchObject({ status: 0, stderr: "" });
    expect(skipped.stdout).toMatch(/cut\.jsonl\.gz: only its beginning was read: the gzip data are damaged or cut short/);
  });

  it("estimates with --dry-run and writes nothing", async () => {
    const command = ["tokenize", at("in"), "--out", at("dry"), "--tokenizer", "cl100k", "--dry-run"];
    const [text, json] = await Promise.all([espalier(...command), espalier(...command, "--format", "megatron", "--json")]);
    expect(text).toMatchObject({ status: 0, stderr: "" });
    expect(text.stdout).toMatch(/^input +.* in 4 files; looked at .* in 4\ntext +.*\nleft out +nothing .*\ntokens +.*vocabulary 100277\)\ntime +about \d+ s .*\ndisk +.* are free\n$/);
    const [line] = jsonLines(json.stdout) as unknown as [{ kind: string; value: { tokens: { value: number }; diskBytes: number } }];
    expect(line.kind).toBe("estimate");
    expect(line.value.diskBytes).toBeGreaterThan(8 * line.value.tokens.value);
    expect(existsSync(at("dry"))).toBe(false);
  });

  it("stopped by Ctrl-C it prints the command that goes on, which ends with the same shards", async () => {
    writeFileSync(at("long.jsonl"), documents(12_000));
    const command = (out: string) => ["tokenize", at("long.jsonl"), "--tokenizer", "cl100k", "--out", at(out), "--quality", "gopher-repetition", "--json"];
    const { child, done } = start(command("stopped"));
    child.stdout!.once("data", () => child.kill("SIGINT"));
    const stopped = await done;
    expect(stopped).toMatchObject({ status: 1, stderr: `\nStopped. Resume with:\n  espalier ${command("stopped").join(" ")}\n` });
    const [resumed, undisturbed] = [await espalier(...command("stopped").slice(0, -3)), await espalier(...command("undisturbed").slice(0, -3))];
    expect([resumed.status, undisturbed.status]).toEqual([0, 0]);
    expect(shard("stopped").equals(shard("undisturbed"))).toBe(true);
  }, 120_000);
});
