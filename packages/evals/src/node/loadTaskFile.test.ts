import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { evaluateKnowledge } from "../knowledge/evaluateKnowledge.ts";
import { randomModel } from "../models/mock.ts";
import { pythonRandom } from "../python/random.ts";
import { parseMapping } from "../yaml/config.ts";
import { loadTaskFile, loadTasksByName, taskFileNames } from "./loadTaskFile.ts";
import { readTaskFolder } from "./taskFolder.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "task-files-"));
});
afterEach(() => rmSync(directory, { recursive: true }));
const at = (...path: string[]) => join(directory, ...path);
function write(path: string, text: string): void {
  mkdirSync(dirname(at(path)), { recursive: true });
  writeFileSync(at(path), text);
}
const docs = (n: number) => Array.from({ length: n }, (_, i) => JSON.stringify({ q: `question ${i}`, a: i % 2 })).join("\n");
const choice = (name: string, more = "") =>
  `task: ${name}\noutput_type: multiple_choice\ntest_split: test\ntraining_split: train\ndoc_to_text: '{{q}}'\ndoc_to_target: a\ndoc_to_choice: ['no', 'yes']\nmetric_list: [{metric: acc}]\n${more}`;

describe("loadTaskFile", () => {
  beforeEach(() => {
    write("tasks/arc/arc.yaml", choice("arc"));
    write("tasks/truth/one.yaml", choice("mc1", "tag: truth\n"));
    write("tasks/truth/two.yml", choice("mc2", "tag:\n  - other\n  - truth\n"));
    write("tasks/broken.yaml", "task: [}\n");
    write("tasks/helper.yaml", "output_type: multiple_choice\n");
    write("tasks/open.yaml", "group: open\ntask:\n  - {task: arc, num_fewshot: 2, fewshot_split: validation}\n  - {task: truth, num_fewshot: 0}\n  - group: plain\n    task: [arc, mc2]\n    aggregate_metric_list: {metric: acc, weight_by_size: false}\naggregate_metric_list: [{metric: acc}]\n");
    for (const [name, n] of [["arc", 6], ["mc1", 3], ["mc2", 2]] as const) write(`data/${name}/test.jsonl`, docs(n));
    write("data/arc/validation.jsonl", docs(4));
  });

  it("gives the sets and groups of a group file, evaluated with sums by size or not", async () => {
    const { sets, groups } = await loadTaskFile(at("tasks/open.yaml"), at("data"));
    expect(sets.map(({ task, docs: { length }, fewshotDocs }) => [task.name, length, fewshotDocs?.length])).toEqual([["arc", 6, 4], ["mc1", 3, undefined], ["mc2", 2, undefined], ["arc-1", 6, undefined], ["mc2-1", 2, undefined]]);
    const { tasks, groups: rows } = await evaluateKnowledge(randomModel(3), sets, { groups, bootstrapIterations: 10 });
    expect(tasks.map(({ shots }) => shots)).toEqual([2, 0, 0, 0, 0]);
    const mean = (names: readonly string[], weight: (documents: number) => number) => {
      const parts = tasks.filter(({ task }) => names.includes(task));
      return parts.reduce((sum, { documents, scores }) => sum + scores[0]!.value * weight(documents), 0) / parts.reduce((sum, { documents }) => sum + weight(documents), 0);
    };
    expect(rows.map(({ group, tasks: below }) => [group, below])).toEqual([["open", ["arc", "mc1", "mc2", "arc-1", "mc2-1"]], ["plain", ["arc-1", "mc2-1"]]]);
    expect(rows[0]!.scores).toMatchObject([{ metric: "acc", filter: "none" }]);
    expect(rows[0]!.scores[0]!.value).toBeCloseTo(mean(rows[0]!.tasks, (n) => n), 12);
    expect(rows[1]!.scores[0]!.value).toBeCloseTo(mean(rows[1]!.tasks, () => 1), 12);
    expect(rows[1]!.scores[0]!.value).not.toBeCloseTo(mean(rows[1]!.tasks, (n) => n), 3); // the two kinds of sum differ here
  });

  it("reads a task file as one set without groups", async () => {
    const { sets, groups } = await loadTaskFile(at("tasks/arc/arc.yaml"), at("data"));
    expect([sets.length, sets[0]!.task.name, sets[0]!.docs.length, groups]).toEqual([1, "arc", 6, []]);
  });

  it("refuses unknown members and names that two files give", async () => {
    write("tasks/lost.yaml", "group: lost\ntask: [nowhere]\n");
    await expect(loadTaskFile(at("tasks/lost.yaml"), at("data"))).rejects.toThrow(/lost\.yaml: lost has the member nowhere/);
    write("tasks/again.yaml", choice("arc"));
    await expect(loadTaskFile(at("tasks/open.yaml"), at("data"))).rejects.toThrow(/again\.yaml: arc is also the name of .*arc\.yaml/);
  });
});

describe("what a group file may name", () => {
  const arcRow = (i: number) => JSON.stringify({ question: `Which ${i}?`, choices: { text: ["a", "b"], label: ["A", "B"] }, answerKey: "AB"[i % 2] });
  const rows = (row: (i: number) => string, n: number) => Array.from({ length: n }, (_, i) => row(i)).join("\n");
  const sha256 = (path: string, text: string) => ({ [path]: { sha256: createHash("sha256").update(text).digest("hex") } });
  const mmluRow = (subject: string) => (i: number) => JSON.stringify({ subject, question: `Q${i}`, choices: ["w", "x", "y", "z"], answer: i % 4 });
  const truth = JSON.stringify(Array.from({ length: 3 }, (_, i) => ({ question: `T${i}?`, mc1_targets: { yes: 1, no: 0 }, mc2_targets: { yes: 1, no: 0 } })));

  beforeEach(() => {
    const files: Record<string, string> = {
      "arc/arc_challenge_test.jsonl": rows(arcRow, 5),
      "arc/arc_challenge_train.jsonl": rows(arcRow, 2),
      "arc_challenge/validation.jsonl": rows(arcRow, 4),
      "mmlu/mmlu_test_17subjects.jsonl": `${rows(mmluRow("anatomy"), 3)}\n${rows(mmluRow("virology"), 2)}`,
      "mmlu/mmlu_dev.jsonl": `${rows(mmluRow("anatomy"), 2)}\n${rows(mmluRow("virology"), 2)}`,
      "truthfulqa/mc_task.json": truth,
    };
    for (const [path, text] of Object.entries(files)) write(`data/${path}`, text);
    write("data/manifest.json", JSON.stringify({ files: Object.assign({}, ...Object.entries(files).map(([path, text]) => sha256(path, text))) as object }));
  });

  it("tasks of this project, tags and groups among them, with their shots and the group's own", async () => {
    write("tasks/openllm.yaml", "group: openllm\ngroup_alias: Open LLM\ntask:\n  - {task: arc_challenge, fewshot_split: validation, num_fewshot: 3, task_alias: ARC}\n  - {task: truthfulqa, num_fewshot: 0}\n  - {task: mmlu, num_fewshot: 2}\n  - mine\naggregate_metric_list: [{metric: acc, weight_by_size: true}]\n");
    write("tasks/mine.yaml", choice("mine"));
    write("data/mine/test.jsonl", docs(4));
    const { sets, groups } = await loadTaskFile(at("tasks/openllm.yaml"), at("data"));
    expect(sets.map(({ task, docs: { length }, fewshotDocs }) => [task.name, task.alias, task.numFewshot, length, fewshotDocs?.length])).toEqual([
      ["arc_challenge", "ARC", 3, 5, 4],
      ["truthfulqa_mc1", undefined, 0, 3, undefined],
      ["truthfulqa_mc2", undefined, 0, 3, undefined],
      ["mmlu_anatomy", undefined, 2, 3, 2],
      ["mmlu_virology", undefined, 2, 2, 2],
      ["mine", undefined, undefined, 4, undefined],
    ]);
    expect(sets[0]!.files!.map(({ path, statedBy }) => [path, statedBy])).toEqual([["arc/arc_challenge_test.jsonl", "manifest"], ["arc/arc_challenge_train.jsonl", "manifest"], ["arc_challenge/validation.jsonl", "manifest"]]);
    expect(groups.slice(0, 3)).toEqual([
      { name: "openllm", alias: "Open LLM", tasks: ["arc_challenge", "truthfulqa_mc1", "truthfulqa_mc2", "mmlu", "mine"], metrics: [{ metric: "acc", weightBySize: true }] },
      { name: "mmlu", tasks: ["mmlu_anatomy", "mmlu_virology"] },
      { name: "mmlu_stem", tasks: ["mmlu_anatomy"] },
    ]);
    const { groups: rowsOfGroups } = await evaluateKnowledge(randomModel(3), sets, { groups, bootstrapIterations: 10 });
    expect(rowsOfGroups[0]).toMatchObject({ group: "openllm", alias: "Open LLM", documents: 5 + 3 + 3 + 5 + 4 });
    expect(rowsOfGroups[1]).toMatchObject({ group: "mmlu", documents: 5 });
  });

  it("one subject, a scored split as the split of shots, and the same task twice", async () => {
    write("tasks/some.yaml", "group: some\ntask: [mmlu_virology, mmlu_stem, {task: arc_challenge, num_fewshot: 1, fewshot_split: test}, {task: arc_challenge, description: 'Think. '}]\n");
    const { sets, groups } = await loadTaskFile(at("tasks/some.yaml"), at("data"));
    expect(sets.map(({ task, fewshotDocs }) => [task.name, task.description === "Think. ", fewshotDocs?.length])).toEqual([["mmlu_virology", false, 2], ["mmlu_anatomy", false, 2], ["arc_challenge", false, undefined], ["arc_challenge-1", true, 2]]);
    expect(groups.map(({ name, tasks }) => [name, tasks])).toEqual([["some", ["mmlu_virology", "mmlu_stem", "arc_challenge", "arc_challenge-1"]], ["mmlu_stem", ["mmlu_anatomy"]]]);
  });

  it.each([
    ["{task: arc_challenge, doc_to_text: x}", /group\.yaml: g sets doc_to_text of arc_challenge, which is built in, expected one of num_fewshot/],
    ["{task: arc_challenge, num_fewshot: -1}", /num_fewshot is -1, expected a whole number from 0/],
    ["{task: arc_challenge, description: '{{q}}'}", /description is "\{\{q\}\}", expected plain text/],
    ["{task: arc_challenge, fewshot_split: lost, num_fewshot: 1}", /arc_challenge.lost\.jsonl/],
    ["mmlu_astronomy", /mmlu_astronomy: mmlu\/mmlu_test_17subjects\.jsonl has none of its documents/],
    ["counting", /g has the member counting, expected a task, group or tag of a file that is read with it, or a knowledge test/],
  ])("refuses %s", async (member, message) => {
    write("tasks/group.yaml", `group: g\ntask: [${member}]\n`);
    await expect(loadTaskFile(at("tasks/group.yaml"), at("data"))).rejects.toThrow(message);
  });

  it("files of the include paths: the group's folder first, then each path, then what is built in", async () => {
    write("here/g.yaml", "group: g\ntask: [near, far, arc_challenge, labelled]\n");
    write("here/near.yaml", choice("near"));
    write("one/deep/far.yaml", choice("far", "description: 'one '\n"));
    write("two/far.yaml", choice("far", "description: 'two '\n"));
    write("two/near.yaml", choice("near", "description: 'two '\n"));
    write("two/arc.yaml", choice("arc_challenge", "description: 'own '\n"));
    write("two/tagged.yaml", `include: ../one/base.inc\n${choice("tagged", "tag: labelled\n")}`);
    write("one/base.inc", "description: 'base '\n");
    for (const name of ["near", "far", "arc_challenge", "tagged"]) write(`data/${name}/test.jsonl`, docs(2));
    const includePaths = [at("one"), at("two")];
    const { sets } = await loadTaskFile(at("here/g.yaml"), at("data"), { includePaths });
    expect(sets.map(({ task }) => [task.name, task.description])).toEqual([["near", undefined], ["far", "one "], ["arc_challenge", "own "], ["tagged", "base "]]);
    expect((await taskFileNames(includePaths)).sort()).toEqual(["arc_challenge", "far", "labelled", "near", "tagged"]);
    const named = await loadTasksByName(["labelled", "far"], at("data"), { includePaths });
    expect([named.sets.map(({ task }) => task.name), named.groups]).toEqual([["tagged", "far"], []]);
    await expect(loadTaskFile(at("here/g.yaml"), at("data"))).rejects.toThrow(/g has the member far/);
  });

  it("data_files by split, below the data directory or not, as lines or as one list", async () => {
    write("tasks/own.yaml", choice("own", `dataset_path: json\nnum_fewshot: 1\ndataset_kwargs: {data_files: {test: mine/all.json, train: ${JSON.stringify(at("elsewhere.jsonl"))}}}\n`));
    write("data/mine/all.json", `[${docs(3).split("\n").join(",")}]`);
    write("elsewhere.jsonl", docs(2));
    const { sets: [set] } = await loadTaskFile(at("tasks/own.yaml"), at("data"));
    expect([set!.docs.length, set!.fewshotDocs!.length, set!.files!.map(({ path, statedBy }) => [path, statedBy])]).toEqual([3, 2, [["mine/all.json", "nothing"], [at("elsewhere.jsonl"), "nothing"]]]);
    write("data/mine/all.json", "[1]");
    await expect(loadTaskFile(at("tasks/own.yaml"), at("data"))).rejects.toThrow("mine/all.json: entry 0 is 1, expected an object. Correct the file.");
    write("tasks/own.yaml", choice("own", "dataset_kwargs: {data_files: {train: x}}\n"));
    await expect(loadTaskFile(at("tasks/own.yaml"), at("data"))).rejects.toThrow(/data_files name no file of the split test, expected one; they have train/);
    write("tasks/own.yaml", choice("own", "dataset_kwargs: {data_files: [a, b]}\n"));
    await expect(loadTaskFile(at("tasks/own.yaml"), at("data"))).rejects.toThrow(/dataset_kwargs is .*expected data_files with one path for each split/);
  });

  it("reads the documents of shots that only the caller asks for", async () => {
    write("tasks/mine.yaml", choice("mine"));
    write("data/mine/test.jsonl", docs(4));
    write("data/mine/train.jsonl", docs(3));
    const asked = async (numFewshot?: number) => (await loadTaskFile(at("tasks/mine.yaml"), at("data"), { ...(numFewshot !== undefined && { numFewshot }) })).sets[0]!.fewshotDocs?.length;
    expect([await asked(), await asked(0), await asked(2)]).toEqual([undefined, undefined, 3]);
  });
});

describe("digests of a user's files", () => {
  const digest = createHash("sha256").update(docs(3)).digest("hex");
  const load = async () => (await loadTaskFile(at("tasks/mine.yaml"), at("data"))).sets[0]!.files;
  beforeEach(() => {
    write("tasks/mine.yaml", choice("mine"));
    write("data/mine/test.jsonl", docs(3));
  });

  it("names what was read, and refuses what the manifest does not state", async () => {
    expect(await load()).toEqual([{ path: "mine/test.jsonl", sha256: digest, statedBy: "nothing" }]);
    write("data/manifest.json", JSON.stringify({ files: { "mine/test.jsonl": { sha256: digest.toUpperCase() } } }));
    expect(await load()).toEqual([{ path: "mine/test.jsonl", sha256: digest, statedBy: "manifest" }]);
    write("data/manifest.json", JSON.stringify({ files: { "mine/test.jsonl": { sha256: "0".repeat(64) } } }));
    await expect(load()).rejects.toThrow(new RegExp(`test\\.jsonl has SHA-256 ${digest}, expected 0{64}\\.`));
  });

  it.each([["{", /is no manifest: it begins "\{"/], ["{}", /is no manifest: files is undefined/], ['{"files": {"mine/test.jsonl": {}}}', /the sha256 of mine\/test\.jsonl is undefined/], ['{"files": {"other": {"sha256": "12"}}}', /the sha256 of other is "12"/]])("refuses the manifest %s", async (text, message) => {
    write("data/manifest.json", text);
    await expect(load()).rejects.toThrow(message);
  });

  it("names the file of a row that is none", async () => {
    write("data/mine/test.jsonl", `${docs(2)}\n[1]\n`);
    await expect(load()).rejects.toThrow("mine/test.jsonl: line 3 is [1], expected an object.");
  });
});

describe("readTaskFolder", () => {
  it("finds the names that reading whole files finds", async () => {
    const { choices, randbelow } = pythonRandom(5);
    const lines = ["task: NAME", "task:\n- x\n- {task: y, n: 1}", "task :  'NAME' # so", "\"task\": \"NAME\"", "'tag' : tNAME", "group: gNAME", "group:\n  - gNAME\n  - tNAME", "tag: tNAME", "tag:\n\n  - tNAME", "description: 'task: no'", "doc_to_text: |\n  task: no\n  group: no", "metadata:\n  tag: no", "# task: no", "doc_to_target: !function utils.f", "repeats: 1"];
    const expected = new Map<string, string[]>();
    for (let i = 0; i < 300; i++) {
      const text = [...choices(lines, 1 + randbelow(6)), "end: 1"].join("\n").replaceAll("NAME", `n${i}`);
      write(`all/${i % 7}/f${i}.yaml`, text);
      const { task, group } = parseMapping(text, "");
      for (const name of [Array.isArray(task) ? group : task]) if (typeof name === "string") expected.set(name, [at(`all/${i % 7}/f${i}.yaml`)]);
    }
    const folder = await readTaskFolder(at("all"));
    expect(expected.size).toBeGreaterThan(100);
    for (let i = 0; i < 300; i++) for (const name of [`n${i}`, `gn${i}`]) expect(folder.fileOf(name), name).toBe(expected.get(name)?.[0]);
    expect(folder.fileOf("no")).toBeUndefined();
  });

  it("says that a folder is missing", async () => {
    await expect(readTaskFolder(at("missing"))).rejects.toThrow(/missing: .*/);
  });
});
