import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { evaluateKnowledge } from "../knowledge/evaluateKnowledge.ts";
import { randomModel } from "../models/mock.ts";
import { pythonRandom } from "../python/random.ts";
import { parseMapping } from "../yaml/config.ts";
import { loadTaskFile } from "./loadTaskFile.ts";
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
