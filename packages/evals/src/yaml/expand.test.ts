import { ConfigError } from "@espalier/core";
import { describe, expect, it } from "vitest";
import { requestsOf } from "../knowledge/requests.ts";
import { readConfig } from "./config.ts";
import { type ExpandedGroup, expandGroup, type FoundMember } from "./expand.ts";
import type { YamlTask } from "./task.ts";
import { readTaskYaml } from "./load.ts";

const task = (name: string, more = "") => `task: ${name}\ntest_split: test\ntraining_split: train\nvalidation_split: validation\ndoc_to_text: '${name} {{q}}'\ndoc_to_target: a\n${more}`;
const base: Record<string, string> = Object.fromEntries(["arc", "mc1", "mc2", "anatomy", "virology", "gsm"].map((name) => [name, task(name)]));

/** A group whose tasks all stand in files. */
type OfFiles = Omit<ExpandedGroup, "tasks"> & { tasks: readonly { name: string; task: YamlTask }[] };

/** Expands a group file whose members are found among texts by name, lists of names being tags. */
async function expand(text: string, files: Record<string, string | readonly string[]> = {}, includes: Record<string, string> = {}): Promise<OfFiles> {
  const include = (name: string) => ({ text: includes[name]!, path: `set/${name}` });
  const all = { ...base, ...files };
  const read = readTaskYaml(text, "set/group.yaml", include);
  if (!("group" in read)) throw new Error("a task");
  const find = (name: string): FoundMember | undefined => {
    const found = Object.hasOwn(all, name) ? all[name]! : undefined;
    if (found === undefined) return undefined;
    return typeof found === "string" ? { config: readConfig(found, `set/${name}.yaml`, include), path: `set/${name}.yaml` } : { tagged: found };
  };
  return (await expandGroup(read.group, find, include)) as OfFiles;
}
const shots = ({ tasks }: OfFiles) => tasks.map(({ task: { task: { name, numFewshot }, source } }) => [name, numFewshot, source.fewshot]);

describe("expandGroup", () => {
  it("gives the tasks of a benchmark like openllm their own shots and splits, tags and groups included", async () => {
    const mmlu = "group: mmlu\ntask: [anatomy, {task: virology, num_fewshot: 1}]\naggregate_metric_list: [{metric: exact_match, weight_by_size: true}]\n";
    const expanded = await expand(
      "group: openllm\ngroup_alias: Open\ntask:\n  - {task: arc, fewshot_split: validation, num_fewshot: 25}\n  - {task: truthful, num_fewshot: 0}\n  - {task: mmlu, num_fewshot: 5}\n  - {task: gsm, task_alias: sums}\n",
      { mmlu, truthful: ["mc1", "mc2"] },
    );
    expect(shots(expanded)).toEqual([["arc", 25, "validation"], ["mc1", 0, "train"], ["mc2", 0, "train"], ["anatomy", 5, "train"], ["virology", 5, "train"], ["gsm", undefined, "train"]]);
    expect(expanded.tasks.map((one) => one.task.task.alias)).toEqual([undefined, undefined, undefined, undefined, undefined, "sums"]);
    expect(expanded.groups).toEqual([
      { name: "openllm", alias: "Open", tasks: ["arc", "mc1", "mc2", "mmlu", "gsm"], metrics: [] },
      { name: "mmlu", tasks: ["anatomy", "virology"], metrics: [{ metric: "exact_match", weightBySize: true }] },
    ]);
  });

  it("pushes overrides down through groups, the outermost winning, and leaves a group its name and sums", async () => {
    const middle = "group: middle\nnum_fewshot: 2\ntask:\n  - {task: arc, num_fewshot: 1, description: own}\n  - group: low\n    fewshot_split: validation\n    task: [anatomy]\n";
    const metrics = "aggregate_metric_list: [{metric: exact_match, filter_list: none, weight_by_size: false}]";
    expect(shots(await expand("group: top\ntask: [middle]\n", { middle }))).toEqual([["arc", 2, "train"], ["anatomy", 2, "validation"]]);
    const expanded = await expand(`group: top\ntarget_delimiter: ':'\ntask: [{task: middle, group_alias: M, num_fewshot: 3, ${metrics}}]\n`, { middle });
    expect(shots(expanded)).toEqual([["arc", 3, "train"], ["anatomy", 3, "validation"]]);
    expect(expanded.tasks.map((one) => [one.task.task.targetDelimiter, one.task.task.description])).toEqual([[":", "own"], [":", undefined]]);
    expect(expanded.groups).toEqual([
      { name: "top", tasks: ["middle"], metrics: [] },
      { name: "middle", alias: "M", tasks: ["arc", "low"], metrics: [{ metric: "exact_match", filter: "none", weightBySize: false }] },
      { name: "low", tasks: ["anatomy"], metrics: [] },
    ]);
  });

  it("takes the same task twice once, and with other overrides under another name", async () => {
    const expanded = await expand("group: g\ntask:\n  - arc\n  - {task: arc, num_fewshot: 3}\n  - group: h\n    task: [arc, {task: arc, num_fewshot: 3}, {task: arc, description: Say}, gsm]\n");
    expect(expanded.tasks.map((one) => [one.name, one.task.task.name])).toEqual([["arc", "arc"], ["arc", "arc-1"], ["arc", "arc-2"], ["gsm", "gsm"]]);
    expect(expanded.groups.map(({ tasks }) => tasks)).toEqual([["arc", "arc-1", "h"], ["arc", "arc-1", "arc-2", "gsm"]]);
    const twice = await expand("group: g\ntask: [h, h, {task: h, num_fewshot: 1}]\n", { h: "group: h\ntask: [arc]\n" });
    expect(twice.groups.map(({ name, tasks }) => [name, tasks])).toEqual([["g", ["h", "h", "h-1"]], ["h", ["arc"]], ["h-1", ["arc-1"]]]);
  });

  it("changes prompts, and takes tasks that are written out, with includes beneath their own keys", async () => {
    const includes = { shared: "output_type: generate_until\ntest_split: test\ndoc_to_text: 'shared {{q}}'\ndoc_to_target: a\ndescription: 'D '\n" };
    const { tasks } = await expand("group: g\ntask:\n  - {task: arc, doc_to_text: 'Other {{q}}'}\n  - {task: new, include: shared, doc_to_text: 'new {{q}}'}\n  - {task: gsm, include: shared}\n", {}, includes);
    expect(tasks.map((one) => requestsOf({ task: one.task.task, docs: [{ q: "x", a: "y" }] })[0]!.prompt)).toEqual(["Other x", "D new x", "D gsm x"]);
  });

  it.each<[string, RegExp, Record<string, string>?]>([
    ["[arc, nowhere]", /set\/group\.yaml: top has the member nowhere, expected a task, group or tag/],
    ["[{task: nowhere, num_fewshot: 3}]", /member nowhere/],
    ["[{group: nowhere}]", /member nowhere/],
    ["[inner]", /inner\.yaml: inner has the member lost/, { inner: "group: inner\ntask: [lost]\n" }],
    ["[top]", /top > top is a circle of groups/, { top: "group: top\ntask: [top]\n" }],
    ["[one]", /one > two > one is a circle of groups/, { one: "group: one\ntask: [{group: w, task: [two]}]\n", two: "group: two\ntask: [{task: one, num_fewshot: 1}]\n" }],
    ["[{task: arc, num_shots: 3}]", /top sets num_shots of arc, expected one of task/],
    ["[{task: arc, process_docs: !function utils.f}]", /process_docs is !function utils\.f/],
    ["[{task: new, doc_to_text: q, doc_to_target: a}]", /set\/group\.yaml: new: test_split is undefined, expected a test or validation split/],
    ["[{task: inner, include: shared}]", /an include at inner, which is a group/, { inner: "group: inner\ntask: [arc]\n" }],
  ])("refuses %s", async (members, message, files) => {
    const read = () => expand(`group: top\ntask: ${members}\n`, files, { shared: "description: d\n" });
    await expect(read()).rejects.toThrow(ConfigError);
    await expect(read()).rejects.toThrow(message);
  });
});
