import { createHash } from "node:crypto";
import { once } from "node:events";
import { appendFileSync, copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { acquireLock } from "@espalier/core/node";
import { nativeStatus } from "@espalier/kernels";
import { readNgrams } from "@espalier/tokenizer";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { documents, espalier, jsonLines, start, temporaryDirectory, tinyPlan } from "../testing/run.ts";

const scratch = temporaryDirectory();
const at = (...names: string[]) => join(scratch, ...names);
const read = (...names: string[]) => readFileSync(at(...names), "utf8");
afterAll(() => rmSync(scratch, { recursive: true }));

const VOCAB = 300;
const copa = [
  '{"id": 1, "premise": "Ada watered the tree.", "question": "effect", "choice1": "It grew.", "choice2": "It sang.", "label": 0}',
  '{"id": 2, "premise": "Tom lost his hat.", "question": "cause", "choice1": "The wind blew.", "choice2": "The sun slept.", "label": 0}',
  '{"id": 3, "premise": "Jo picked apples.", "question": "effect", "choice1": "She flew.", "choice2": "She ate them.", "label": 1}',
];
const taskFile = `task: fruit
dataset_path: fruit
test_split: test
output_type: multiple_choice
doc_to_text: "{{premise}}"
doc_to_target: label
doc_to_choice: "{{[choice1, choice2]}}"
metric_list:
  - metric: acc
`;

describe("espalier eval without a model", () => {
  it("lists tasks with files and licence, and the paper's tables with what survives", async () => {
    const [list, json, paper] = await Promise.all([espalier("eval", "list"), espalier("eval", "list", "--json"), espalier("eval", "paper")]);
    expect(list.stdout).toMatch(/^counting +Counting +148$/m);
    expect(list.stdout).toMatch(/^hellaswag +HellaSwag +10 +hellaswag\/\S+ +MIT$/m);
    expect(list.stdout).toMatch(/^Groups: iq, recall, procedures, retrieval, reasoning, knowledge, leaderboard, bbh, clue, superglue, xcopa\./m);
    expect(jsonLines(json.stdout)).toMatchObject([{ kind: "tasks", value: { groups: { leaderboard: ["arc_challenge", "hellaswag", "mmlu", "truthfulqa"] } } }]);
    expect(paper.stdout).toMatch(/^Counting +148 +82\.43 +75\.5 to 87\.7 +60\.81 +52\.8 to 68\.3 +69\.59 +61\.8 to 76\.4$/m);
    expect(paper.stdout).toMatch(/^Replace-Word +GLM-130B +\+11\.7 +6\.9 to 16\.6 +\d\.\d +< 0\.001 +< 0\.001 +better$/m);
    expect(paper.stdout).toMatch(/^FLM-101B against GPT-3, 13 tasks: better in 0, worse in 2, not shown in 11 \(p alone would call \d+ real\)\.$/m);
    expect(paper.stdout).toMatch(/20 of 20 scores cannot be told from guessing/);
  });

  it("refuses unknown names, missing data, an endpoint without name, in one sentence", async () => {
    const refused = await Promise.all([
      espalier("eval", "x", "--tasks", "countin"),
      espalier("eval", at("none"), "--tasks", "boolq"),
      espalier("eval", "http://127.0.0.1:1/v1", "--tasks", "counting"),
      espalier("eval", "http://127.0.0.1:1/v1", "--stages"),
      espalier("eval", "x", "--chat"),
      espalier("eval", "compare", at("a"), at("b")),
      espalier("eval", "ngrams", "--tasks", "boolq", "--out", at("n")),
    ]);
    const sentences = [
      'error --tasks: "countin" is no task, group or pattern. Nearest: counting, ',
      `error ${at("none")}: does not exist, expected a run, one of its checkpoints (RUN/checkpoints/step-...) or a Hugging Face directory.`,
      "error http://127.0.0.1:1/v1: an endpoint serves models by name, but --model is missing.",
      "error http://127.0.0.1:1/v1: --stages needs the directory of a run, found an address.",
      "--chat is for endpoints",
      `error ${at("a")}: no samples, expected a directory of \`espalier eval --out\`.`,
      "error ngrams: boolq needs data, but --sets is missing.",
    ];
    refused.forEach(({ status, stderr, stdout }, i) => {
      expect({ status, stdout }, stderr).toEqual({ status: [2, 1, 2, 2, 2, 1, 2][i], stdout: "" });
      expect(stderr).toContain(sentences[i]);
      expect(stderr.trim().split("\n")).toHaveLength(1);
    });
  });

  it("writes the n-grams of generated items; its options are its own", async () => {
    const { status, stdout } = await espalier("eval", "ngrams", "--tasks", "counting", "headTail", "--words", "5", "--out", at("iq.ngrams"), "--json");
    expect(status).toBe(0);
    const [{ value }] = jsonLines(stdout) as unknown as [{ value: { count: number; texts: number } }];
    expect(value).toMatchObject({ texts: 3 * 248, n: 5 });
    const ngrams = readNgrams(read("iq.ngrams"), "iq.ngrams");
    expect(ngrams.hashes.length / 2).toBe(value.count);
  });

  it("n-grams of the knowledge tests that are there keep their questions out of training text", async () => {
    const question = (k: number) => `Whose ${["apples", "pears", "plums"][k]} does the farmer of the old mill carry over the long bridge to town every morning?`;
    const rows = [0, 1, 2].map((k) => ({ question: question(k), answer: "#### 1" }));
    const short = { question: "为什么苹果是红的？", answer: "#### 2" }; // eight words, written without spaces
    const text = [...rows, short].map((row) => JSON.stringify(row)).join("\n");
    mkdirSync(at("tests/gsm8k"), { recursive: true });
    writeFileSync(at("tests/gsm8k/gsm8k_test.jsonl"), text);
    writeFileSync(at("tests/manifest.json"), JSON.stringify({ files: { "gsm8k/gsm8k_test.jsonl": { sha256: createHash("sha256").update(text).digest("hex") } } }));
    const written = await espalier("eval", "ngrams", "--tasks", "knowledge", "--sets", at("tests"), "--out", at("tests.ngrams"));
    expect(written).toMatchObject({ status: 0, stderr: "" });
    expect(written.stdout).toMatch(/ from 4 texts of 1 sets; 1 texts are shorter and have none\.\nLeft out, because their files are not in \S+: arc_challenge, .*clue_cmrc2018\.\n$/);
    expect((await espalier("eval", "ngrams", "--tasks", "gsm8k", "copa", "--sets", at("tests"), "--out", at("n"))).stderr).toMatch(/^error reading \S+balanced_copa_dev\.jsonl/);
    expect((await espalier("eval", "ngrams", "--tasks", "xcopa", "--sets", at("tests"), "--out", at("n"))).stderr).toMatch(/^error eval ngrams: found the files of no set in \S+, expected those of xcopa_et, /);

    const texts = [`Heard: ${question(0).toUpperCase().replaceAll(" ", "\n")}`, question(2), question(1).split(" ").slice(0, 12).join(" "), short.question];
    writeFileSync(at("seen.jsonl"), texts.map((seen) => JSON.stringify({ text: seen })).join("\n"));
    const prepared = await espalier("tokenize", at("seen.jsonl"), "--tokenizer", "gpt2", "--ngrams", at("tests.ngrams"), "--out", at("seen"), "--json");
    const { value } = jsonLines(prepared.stdout).at(-1) as unknown as { value: { documents: { dropped: object }; droppedSamples: { source: string }[] } };
    expect(value.documents).toMatchObject({ read: 4, dropped: { ngrams: 2 } });
    expect(value.droppedSamples.map(({ source }) => source).sort()).toEqual(["seen.jsonl:1", "seen.jsonl:2"]);
  });

  it("a reader that closes the pipe early is no error", async () => {
    const { child, done } = start(["eval", "list"]);
    child.stdout!.destroy();
    expect(await done).toMatchObject({ stderr: "" });
  });
});

// Training through the reference executor would take minutes; in CI a missing addon fails in packages/kernels.
describe.skipIf(!nativeStatus().available)("espalier eval of a run (needs the native executor)", () => {
  const model = () => at("run/checkpoints/step-00000080");
  const evaluated = (out: string, ...more: string[]) => ["eval", model(), "--data", at("data"), "--tasks", "counting", "copying", at("fruit.yaml"), "--sets", at("sets"), "--items", "12", "--out", at(out), ...more];

  beforeAll(async () => {
    writeFileSync(at("text.jsonl.gz"), gzipSync(documents(200)));
    writeFileSync(at("fruit.yaml"), taskFile);
    mkdirSync(at("sets/fruit"), { recursive: true });
    writeFileSync(at("sets/fruit/test.jsonl"), copa.join("\n"));
    writeFileSync(at("plan.json"), JSON.stringify(tinyPlan(VOCAB, 40)));
    expect(await espalier("tokenize", at("text.jsonl.gz"), "--out", at("data"), "--vocab", String(VOCAB), "--validation", "0.05")).toMatchObject({ status: 0, stderr: "" });
    expect(await espalier("train", "--plan", at("plan.json"), "--data", at("data"), "--out", at("run"), "--threads", "1", "--json")).toMatchObject({ status: 0 });
    const whole = await espalier(...evaluated("whole"));
    expect(whole).toMatchObject({ status: 0, stderr: "" });
    writeFileSync(at("whole.txt"), whole.stdout);
  });

  it("prints IQ and knowledge scores with intervals, chance and what the set shows, and leaves samples, results and a page", () => {
    const stdout = read("whole.txt");
    expect(stdout).toMatch(/^counting +exact match +\d+\.\d % +\d+\.\d to \d+\.\d +0\.0 % +12 +\d+\.\d/m);
    expect(stdout).toMatch(/^fruit +acc +\d+\.\d\d % +\d+\.\d to \d+\.\d +(50\.0 % +)?3 +\d+\.\d/m);
    expect(read("whole/iq.jsonl").trim().split("\n")).toHaveLength(24);
    expect(read("whole/knowledge.jsonl").trim().split("\n")).toHaveLength(3);
    expect(read("whole/samples.html")).toMatch(/^<!doctype html>/i);
    const files = readdirSync(at("whole/results"), { recursive: true }).map(String);
    expect(files.filter((file) => /results_.*\.json$/.test(file))).toHaveLength(2);
    expect(files.filter((file) => /samples_fruit_.*\.jsonl$/.test(file))).toHaveLength(1);
    expect(files.filter((file) => /inspect/.test(file) && file.endsWith(".json"))).toHaveLength(3);
  });

  it("cut at any place it goes on to the same logs, and refuses other settings", async () => {
    for (const name of ["iq.jsonl", "knowledge.jsonl"]) {
      mkdirSync(at("cut"), { recursive: true });
      const text = read("whole", name);
      writeFileSync(at("cut", name), text.slice(0, text.length * 0.4)); // in the middle of a line
    }
    copyFileSync(at("whole/evaluation.json"), at("cut/evaluation.json"));
    expect(await espalier(...evaluated("cut"))).toMatchObject({ status: 0, stderr: "" });
    for (const name of ["iq.jsonl", "knowledge.jsonl"]) expect(read("cut", name)).toBe(read("whole", name));
    const other = await espalier(...evaluated("cut", "--seed", "2"));
    expect(other).toMatchObject({ status: 1 });
    expect(other.stderr).toBe(`error ${at("cut")}: holds an evaluation with other settings (evaluation.json). Choose another --out, or repeat its settings to go on with it.\n`);
  });

  it("names results by the place as typed, wherever the project lies, and goes on under another spelling of it", async () => {
    const asked = (place: string) => ["eval", place, "--tasks", "counting", "--items", "4", "--out", "named"];
    const results = () => readdirSync(at("named/results")).filter((name) => name !== "inspect");
    const modelOf = () => {
      const [folder] = results();
      const [file] = readdirSync(at("named/results", folder!)).filter((name) => name.startsWith("results_"));
      const { model_name: name, config } = JSON.parse(read("named/results", folder!, file!)) as { model_name: string; config: { model_args: string } };
      return [name, config.model_args];
    };
    expect(await start(asked("./run/"), scratch).done).toMatchObject({ status: 0, stderr: "" });
    expect(results()).toEqual(["run__checkpoints__step-00000080"]);
    expect(modelOf()).toEqual(["run/checkpoints/step-00000080", "run"]);
    expect(JSON.parse(read("named/evaluation.json"))).toMatchObject({ model: model() });
    const log = read("named/iq.jsonl");
    expect(await start(asked(model()), scratch).done).toMatchObject({ status: 0, stderr: "" }); // what earlier versions called it
    expect(read("named/iq.jsonl")).toBe(log);
    expect(modelOf()).toEqual([model(), model()]);
  });

  it("--cache: a second evaluation of the same model asks it nothing, and gives the same samples", async () => {
    const lines = () => read("answers.jsonl").trim().split("\n").length;
    expect(await espalier(...evaluated("first", "--cache", at("answers.jsonl")))).toMatchObject({ status: 0, stderr: "" });
    const asked = lines();
    expect(asked).toBeGreaterThan(24);
    expect(await espalier(...evaluated("second", "--cache", at("answers.jsonl")))).toMatchObject({ status: 0, stderr: "" });
    expect(lines()).toBe(asked);
    for (const name of ["iq.jsonl", "knowledge.jsonl"]) expect(read("second", name)).toBe(read("whole", name));
  });

  it("stopped by Ctrl-C it prints the command that goes on", async () => {
    const args = [...evaluated("stopped"), "--items", "300", "--json"];
    const { child, done } = start(args);
    for (let seen = ""; !seen.includes('"kind":"progress"'); ) seen += String((await once(child.stdout!, "data"))[0]);
    child.kill("SIGINT");
    expect(await done).toMatchObject({ status: 1, stderr: `\nStopped. Resume with:\n  espalier ${args.join(" ")}\n` });
    expect(read("stopped/iq.jsonl").trim().split("\n").length).toBeGreaterThanOrEqual(64);
  });

  it("refuses a directory that another evaluation is writing to", async () => {
    const lock = acquireLock(at("busy"));
    const refused = await espalier(...evaluated("busy"));
    lock.release();
    expect(refused).toMatchObject({ status: 1, stdout: "", stderr: `error ${at("busy")}: another process is working in this directory. Wait for it, or choose another.\n` });
    expect(readdirSync(at("busy"))).toEqual([".lock"]);
  });

  it("refused before the first answer, the directory is free for other settings", async () => {
    const tooMany = await espalier(...evaluated("free", "--items", "4000"));
    expect(tooMany.stderr).toMatch(/^error itemSet: counting at tiny has about \d+ distinct items/);
    expect(await espalier(...evaluated("free"))).toMatchObject({ status: 0, stderr: "" });
  });

  it("runs the tasks of a group file, each with its own shots, and sums them up", async () => {
    mkdirSync(at("group"));
    for (const name of ["apple", "pear"]) {
      writeFileSync(at(`group/${name}.yaml`), taskFile.replace(/fruit/g, name));
      mkdirSync(at(`sets/${name}`), { recursive: true });
      writeFileSync(at(`sets/${name}/test.jsonl`), copa.join("\n"));
    }
    writeFileSync(at("group/all.yaml"), "group: orchard\ntask: [apple, {task: pear, num_fewshot: 1, fewshot_split: test}]\naggregate_metric_list: [{metric: acc}]\n");
    const asked = ["eval", model(), "--data", at("data"), "--sets", at("sets"), "--tasks", at("group/all.yaml")];
    const { status, stdout } = await espalier(...asked, "--out", at("orchard"));
    expect(status).toBe(0);
    expect(stdout).toMatch(/^orchard, acc: \d+\.\d\d % .*over 2 tasks, 6 documents$/m);
    const results = readdirSync(at("orchard/results"), { recursive: true }).map(String).find((file) => /results_.*\.json$/.test(file))!;
    expect(JSON.parse(read("orchard/results", results))).toMatchObject({ "n-shot": { apple: 0, pear: 1 }, group_subtasks: { orchard: ["apple", "pear"] } });
    expect(await espalier(...asked, at("group/apple.yaml"))).toMatchObject({ status: 1, stderr: expect.stringContaining("asks for apple more than once") as string });
  });

  it("--include-path: tasks, groups and tags of a directory by name; data of no manifest are named by their digests", async () => {
    mkdirSync(at("mine/deep"), { recursive: true });
    writeFileSync(at("mine/base.inc"), taskFile.replace(/fruit/g, "base"));
    for (const name of ["plum", "fig"]) {
      writeFileSync(at(`mine/deep/${name}.yaml`), `include: ../base.inc\ntask: ${name}\ntag: stone\ntask_alias: the ${name}\n`);
      mkdirSync(at(`sets/${name}`), { recursive: true });
      writeFileSync(at(`sets/${name}/test.jsonl`), copa.join("\n"));
    }
    writeFileSync(at("mine/basket.yaml"), "group: basket\ntask: [plum, xcopa_zh]\naggregate_metric_list: [{metric: acc}]\n");
    const asked = (...tasks: string[]) => espalier("eval", model(), "--data", at("data"), "--sets", at("sets"), "--include-path", at("mine"), "--tasks", ...tasks);
    const [tag, pattern, lost, basket] = await Promise.all([asked("stone"), asked("fi*", "counting", "--items", "3"), asked("stonee"), asked("basket")]);
    expect(tag).toMatchObject({ status: 0, stderr: "" });
    expect(tag.stdout).toMatch(/^the fig +acc .*\nthe plum +acc /m);
    const digest = createHash("sha256").update(copa.join("\n")).digest("hex");
    expect(tag.stdout).toMatch(new RegExp(`^Data that no manifest\\.json below --sets states .*\\n {2}"fig/test\\.jsonl": \\{"sha256": "${digest}"\\}\\n {2}"plum/`, "m"));
    expect(pattern.stdout).toMatch(/^counting +exact match[^]*^the fig +acc /m);
    expect(lost.stderr).toContain('error --tasks: "stonee" is no task, group or pattern. Nearest: stone, ');
    expect(basket).toMatchObject({ status: 1, stderr: expect.stringMatching(/^error reading \S+xcopa_zh\/test\.zh\.jsonl/) as string });
  });

  it("draws few-shot examples anew for each seed, and cuts what does not fit, counted", async () => {
    appendFileSync(at("fruit2.yaml"), `${taskFile.replace(/fruit/g, "fruit2")}num_fewshot: 1\nfewshot_split: train\n`);
    mkdirSync(at("sets/fruit2"), { recursive: true });
    for (const split of ["test", "train"]) writeFileSync(at(`sets/fruit2/${split}.jsonl`), copa.join("\n"));
    const { status, stdout } = await espalier("eval", model(), "--data", at("data"), "--tasks", at("fruit2.yaml"), "--sets", at("sets"), "--few-shot", "2", "--few-shot-seeds", "1", "2", "3");
    expect(status).toBe(0);
    expect(stdout).toMatch(/^task +metric +value +95 % +over seeds .*\nfruit2 +acc +\d+\.\d\d % +\d+\.\d to \d+\.\d +\d+\.\d \(\d+\.\d\d % to \d+\.\d\d %\) .* 3 cut to the context$/m);
    expect(stdout).toMatch(/^value: mean of 3 few-shot seeds; 95 %: of documents, for these seeds; over seeds: standard deviation in points, lowest and highest$/m);
  });

  it("--stages: a table and a picture of every stage, and the answers that each growth leaves as they were", async () => {
    const { status, stdout } = await espalier("eval", at("run"), "--data", at("data"), "--stages", "--tasks", "counting", "copying", "--items", "10", "--out", at("stages"));
    expect(status).toBe(0);
    expect(stdout).toMatch(/^task +metric +stage 1 \(step 40\) +stage 2 \(step 80\) +chance$/m);
    expect(stdout).toMatch(/^Growth at step 40: 20 of 20 answers stay \(100\.0 %\); log-likelihoods changed by 0\.0 nats on average, 0\.0 at most\.$/m);
    const table = JSON.parse(read("stages/stages.json")) as { stages: string[]; rows: { cells: unknown[] }[]; agreements: unknown[] };
    expect(table.stages).toHaveLength(2);
    expect(table.rows).toHaveLength(4);
    for (const { cells } of table.rows) expect(cells).toHaveLength(2);
    expect(read("stages/stages.svg").match(/<circle cx/g)).toHaveLength(8);
    expect(readdirSync(at("stages/step-00000080/results"))).toContain(`${at("run").replaceAll("/", "__")}__checkpoints__step-00000080`);
  });

  it("curve: accuracy against one knob or two, as table and picture", async () => {
    const curve = (...more: string[]) => espalier("eval", "curve", model(), "copying", "--data", at("data"), "--items", "8", ...more);
    const [one, two, unknown] = await Promise.all([
      curve("--over", "length=2,4", "--scoring", "likelihood", "--svg", at("curve.svg")),
      curve("--over", "length=2,4", "--and", "shots=1,2,3", "--json"),
      curve("--over", "size=3"),
    ]);
    expect(one.stdout).toMatch(/^length +right \(95 %\) +chance +items\n +2 +\d+\.\d % \(\d+ to \d+\) +\d+\.\d % +8\n +4 /m);
    expect(read("curve.svg").match(/<circle/g)).toHaveLength(2);
    const { value } = jsonLines(two.stdout).at(-1) as unknown as { value: { cells: unknown[][] } };
    expect(value.cells.map((row) => row.length)).toEqual([2, 2, 2]);
    expect(unknown).toMatchObject({ status: 2, stderr: "error copying: knob size is 3, expected one of length (number), shots (number).\n" });
  });

  it("leak: the same tests under a public and a private seed, with a verdict", async () => {
    const leak = (...more: string[]) => espalier("eval", "leak", model(), "--data", at("data"), "--tasks", "copying", "counting@1", "--items", "10", ...more);
    const [shown, json, nothing, knowledge] = await Promise.all([
      leak("--private-seed", "heron"),
      leak("--private-seed", "private/heron", "--scoring", "likelihood", "--json"),
      leak(),
      leak("--private-seed", "heron", "--tasks", "copa"),
    ]);
    expect(shown.stdout).toMatch(/^copying +\d+\.\d % +\d+\.\d % +[-+]?\d+\.\d /m);
    expect(shown.stdout).toMatch(/^No leak shown\.$/m);
    expect(jsonLines(json.stdout).at(-1)).toMatchObject({ kind: "leak", value: { publicSeed: "test/1", privateSeed: "test/private/heron", scoring: "likelihood", leaked: false, tasks: [{ task: "copying", shared: 0 }, { task: "counting" }] } });
    expect(nothing.status).toBe(2);
    expect(knowledge.stderr).toContain("only generated tests have private items");
  });

  it("compare: paired differences, those that are real, and the first prompt that differs", async () => {
    const { status, stdout } = await espalier("eval", "compare", at("whole"), at("cut"), "--json");
    expect(status).toBe(0);
    const [{ value }] = jsonLines(stdout) as unknown as [{ value: { rows: { difference: number; real: boolean }[]; differentPrompts: number } }];
    expect(value.differentPrompts).toBe(0);
    expect(value.rows.length).toBeGreaterThanOrEqual(5);
    for (const row of value.rows) expect(row).toMatchObject({ difference: 0, real: false });

    mkdirSync(at("other"));
    writeFileSync(at("other/iq.jsonl"), read("whole/iq.jsonl").replace(/"prompt":"/, '"prompt":"Well, '));
    const other = await espalier("eval", "compare", at("whole"), at("other"));
    expect(other.stdout).toMatch(/^1 items? .* at character 0:\n {2}whole {2}".*"\n {2}other {2}"Well, .*"$/m);
    expect(other.stdout).toMatch(/^Left out, because one side lacks them: 3 items of whole, 0 of other\.$/m);
  });
});
