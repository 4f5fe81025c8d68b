import { EspalierError } from "@espalier/core";
import type { GenerateRequest, LanguageModel } from "@espalier/spec/languageModel";
import { describe, expect, it } from "vitest";
import { arc } from "../knowledge/arc/task.ts";
import { copa } from "../knowledge/copa/task.ts";
import { gsm8k } from "../knowledge/gsm8k/task.ts";
import { goldOf } from "../knowledge/metrics.ts";
import { evaluateKnowledge } from "../knowledge/evaluateKnowledge.ts";
import { requestsOf } from "../knowledge/requests.ts";
import type { Doc } from "../knowledge/task.ts";
import { winogrande, wsc273 } from "../knowledge/winograd/task.ts";
import { randomModel } from "../models/mock.ts";
import { pythonRandom } from "../python/random.ts";
import { readTaskYaml } from "./load.ts";
import type { YamlTask } from "./task.ts";

const files: Record<string, string> = {};
const include = (name: string, from: string) => {
  const path = from.replace(/[^/]*$/, "") + name;
  if (files[path] === undefined) throw new Error(`no ${path}`);
  return { text: files[path], path };
};
function taskOf(text: string, path = "set/task.yaml"): YamlTask {
  const read = readTaskYaml(text, path, include);
  if (!("task" in read)) throw new Error("a group");
  return read.task;
}
const asked = ({ task, process }: YamlTask, docs: readonly Doc[], numFewshot = 0) => requestsOf({ task, docs: docs.map(process) }, { numFewshot }).map(({ requests, prompt }) => ({ requests, prompt }));

const arcYaml = `
task: mine
output_type: multiple_choice
training_split: train
test_split: test
doc_to_text: "Question: {{question}}\\nAnswer:"
doc_to_target: "{{choices.label.index(answerKey)}}"
doc_to_choice: "{{choices.text}}"
metric_list:
  - metric: acc
    aggregation: mean
    higher_is_better: true
  - metric: acc_norm
metadata: {version: 1.0}
`;
const question = (i: number): Doc => ({ question: `What's "${i}"?`, choices: { text: ["it's", `the "${i}"`, "a\\b\nc"], label: ["A", "B", "C"] }, answerKey: "ABC"[i % 3] });
const docs = Array.from({ length: 8 }, (_, i) => question(i));

describe("readTaskYaml", () => {
  it("asks what the task in TypeScript asks, shots included", () => {
    const mine = taskOf(arcYaml);
    for (const shots of [0, 3]) expect(asked(mine, docs, shots)).toEqual(requestsOf({ task: arc("easy"), docs }, { numFewshot: shots }).map(({ requests, prompt }) => ({ requests, prompt })));
    expect(docs.map((doc) => mine.task.target(doc))).toEqual([0, 1, 2, 0, 1, 2, 0, 1]);
    expect(mine.task).toMatchObject({ version: 1, metrics: [{ name: "acc", aggregation: "mean", higherIsBetter: true }, { name: "acc_norm" }] });
    expect(mine.source).toEqual({ scored: "test", fewshot: "train" });
  });

  it("knows WSC's templates and the functions that go with them", () => {
    const mine = taskOf(
      `task: wsc273
output_type: multiple_choice
test_split: test
doc_to_text: label
process_docs: !function utils.process_doc
doc_to_target: "{% set index = pronoun_loc + pronoun | length %}{{text[index:]}}"
doc_to_choice: "{% set template = text[:pronoun_loc] %}{{[template+options[0], template+options[1]]}}"
`,
      "tasks/wsc273/default.yaml",
    );
    const schema = { text: "The man  left. His dog barked.", pronoun: "His", pronoun_loc: 14, options: ["The man", "A cat"], label: 1 };
    expect(asked(mine, [schema])[0].requests).toEqual(requestsOf({ task: wsc273(), docs: [schema] })[0].requests);
    const wino = taskOf("task: w\noutput_type: multiple_choice\nvalidation_split: v\ndoc_to_text: !function preprocess_winogrande.doc_to_text\ndoc_to_target: !function preprocess_winogrande.doc_to_target\ndoc_to_choice: !function preprocess_winogrande.doc_to_choice\n", "x/winogrande/default.yaml");
    const row = { sentence: "Ann saw Bea, so _ waved.", option1: "Ann", option2: "Bea", answer: "2" };
    expect(asked(wino, [row])[0].requests).toEqual(requestsOf({ task: winogrande(), docs: [row] })[0].requests);
    const two = taskOf("task: c\noutput_type: multiple_choice\nvalidation_split: v\ndoc_to_text: !function utils.doc_to_text\ndoc_to_target: !function utils.doc_to_target\ndoc_to_choice: !function utils.doc_to_choice\n", "x/copa/default.yaml").task;
    const cause = { premise: "It fell.", choice1: "It broke.", choice2: "I slept.", question: "cause", label: 1 };
    expect(goldOf(two, cause, two.choices!(cause))).toEqual(goldOf(copa(), cause, copa().choices!(cause)));
  });

  it("knows the functions of XWinograd, COPAL-ID, MNLI and WikiText", () => {
    const fields = (module: string, keys: readonly string[]) => keys.map((key) => `${key}: !function ${module}.${key}\n`).join("");
    const schema = { sentence: "Anne a vu _ hier.", option1: "Léa", option2: "Zoé", answer: "2" };
    const xwinograd = taskOf(`task: x\noutput_type: multiple_choice\ntest_split: t\n${fields("utils", ["doc_to_text", "doc_to_target", "doc_to_choice"])}`, "t/xwinograd/x.yaml");
    expect(asked(xwinograd, [schema])[0]!.requests).toEqual(["Léa", "Zoé"].map((name) => ({ context: `Anne a vu ${name}`, continuation: " hier." })));
    const copal = taskOf("task: c\noutput_type: multiple_choice\ntest_split: t\ndoc_to_text: !function utils.doc_to_text_id\ndoc_to_target: label\ndoc_to_choice: !function utils.doc_to_choice\n", "t/copal_id/c.yaml");
    expect(asked(copal, [{ premise: "Hujan turun.", choice1: "Basah.", choice2: "Kering.", question: "effect", label: 0 }])[0]!.requests[0]).toEqual({ context: "Hujan turun maka", continuation: " basah." });
    const mnli = taskOf("task: m\noutput_type: multiple_choice\nvalidation_split: v\ndoc_to_text: !function utils.doc_to_text\ndoc_to_target: label\ndoc_to_choice: ['True', 'Neither', 'False']\n", "t/glue/mnli/default.yaml");
    expect(["It rains ", "It rains."].map((hypothesis) => mnli.task.text({ premise: "P.", hypothesis }))).toEqual(Array(2).fill("P.\nQuestion: It rains. True, False or Neither?\nAnswer:"));
    const pages = taskOf('task: w\noutput_type: loglikelihood_rolling\ntest_split: t\ndoc_to_text: ""\ndoc_to_target: !function preprocess_wikitext.wikitext_detokenizer\nprocess_results: !function preprocess_wikitext.process_results\nmetric_list: [{metric: word_perplexity}]\n', "t/wikitext/wikitext.yaml");
    expect(requestsOf({ task: pages.task, docs: [{ page: "a , b" }] })[0]!.rolling).toBe("a, b");
  });

  it("reads generation, filters and what is to be ignored", () => {
    const { task } = taskOf(`
task: gsm8k
test_split: test
training_split: train
fewshot_split: train
doc_to_text: "Question: {{question}}\\nAnswer:"
doc_to_target: "{{answer}}"
metric_list:
  - {metric: exact_match, aggregation: mean, higher_is_better: true, ignore_case: true, ignore_punctuation: false, regexes_to_ignore: [",", "\\\\$", "(?s).*#### ", "\\\\.$"]}
generation_kwargs: {until: ["Question:", "</s>", "<|im_end|>"], do_sample: false, temperature: 0.0}
num_fewshot: 5
filter_list:
  - name: strict-match
    filter: [{function: regex, regex_pattern: "#### (\\\\-?[0-9\\\\.\\\\,]+)"}, {function: take_first}]
  - name: flexible-extract
    filter: [{function: regex, group_select: -1, regex_pattern: "(-?[$0-9.,]{2,})|(-?[0-9]+)"}, {function: take_first}]
`);
    expect(task.generation).toEqual(gsm8k().generation);
    expect(task.numFewshot).toBe(5);
    const text = " is $5.\n#### 1,234.";
    expect(task.filters!.map(({ name, apply }) => [name, apply(text, {})])).toEqual(gsm8k().filters!.map(({ name, apply }) => [name, apply(text, {})]));
    expect(task.metrics[0]).toMatchObject({ ignoreCase: true, regexesToIgnore: [",", "\\$", "(?s).*#### ", "\\.$"] });
  });

  it("lets the file's own keys win over included ones, along several files", () => {
    files["set/base.yaml"] = "include: root.yaml\ndescription: base\noutput_type: multiple_choice\n";
    files["set/root.yaml"] = "description: root\ntarget_delimiter: '|'\ndoc_to_choice: [yes, 'no', y, n]\ntest_split: t\ndoc_to_target: label\n";
    const { task } = taskOf("include: base.yaml\ntask: child\ndoc_to_text: '{{q}}'\n");
    expect(task).toMatchObject({ name: "child", description: "base", targetDelimiter: "|" });
    expect(task.choices!({})).toEqual(["True", "no", "y", "n"]); // as Python's loader reads them
    files["set/a.yaml"] = "include: a.yaml\n";
    expect(() => taskOf("include: a.yaml\n")).toThrow(/more than 20 includes/);
  });

  it("gives shots of the file, in order, with prefixes and delimiters of their own", () => {
    const mine = taskOf(`
task: shots
test_split: test
doc_to_text: "Q: {{q}}"
doc_to_target: "{{a}}"
gen_prefix: "It is"
fewshot_delimiter: "##"
num_fewshot: 2
description: "Say.\\n\\n"
fewshot_config:
  sampler: first_n
  target_delimiter: " -> "
  samples: [{q: one, a: "1"}, {q: two, a: "2"}]
`);
    expect(asked(mine, [{ q: "three", a: "3" }], 2)[0].prompt).toBe("Say.\n\nQ: one -> It is 1##Q: two -> It is 2##Q: three It is");
  });

  it("reads groups, written out within groups or not, with what their members say otherwise", () => {
    const text = `
group: all
num_fewshot: 2
task:
  - a
  - {task: b, task_alias: see, fewshot_split: train}
  - group: inner
    task: [{group: deep, task: [c]}]
    aggregate_metric_list: {metric: acc, weight_by_size: false, filter_list: [x, y]}
aggregate_metric_list: [{metric: exact_match}]
`;
    const bare = { overrides: {}, included: {} };
    const path = "g.yaml";
    expect(readTaskYaml(text, path, include)).toEqual({
      group: {
        name: "all", path, overrides: { num_fewshot: 2 }, metrics: [{ metric: "exact_match", weightBySize: true }],
        members: [
          { name: "a", ...bare },
          { name: "b", overrides: { task_alias: "see", fewshot_split: "train" }, included: {} },
          {
            name: "inner", path, overrides: {}, metrics: [{ metric: "acc", filter: "x", weightBySize: false }, { metric: "acc", filter: "y", weightBySize: false }],
            members: [{ name: "deep", path, overrides: {}, metrics: [], members: [{ name: "c", ...bare }] }],
          },
        ],
      },
    });
  });

  it.each([["[[a]]"], ["[]"], ["[3]"], ["[{num_fewshot: 1}]"]])("refuses the members %s", (members) => {
    expect(() => readTaskYaml(`group: g\ntask: ${members}\n`, "g.yaml", include)).toThrow(/g\.yaml: task is .*expected (names|a list) of tasks/);
  });

  it("draws several answers and lets filters choose among them", async () => {
    const { task } = taskOf(`
task: vote
test_split: test
doc_to_text: "{{q}}"
doc_to_target: "{{a}}"
repeats: 5
generation_kwargs: {until: ["!"], do_sample: true, temperature: 0.5}
filter_list:
  - {name: first, filter: [{function: regex, regex_pattern: 'is (\\d)'}, {function: take_first}]}
  - {name: all, filter: [{function: regex, regex_pattern: 'is (\\d)'}, {function: majority_vote}, {function: take_first}]}
  - {name: three, filter: [{function: take_first_k, k: 3}, {function: regex, regex_pattern: 'is (\\d)'}, {function: majority_vote}, {function: take_first}]}
`);
    const asked: GenerateRequest[] = [];
    const answers = ["is 1!", "is 2", "is 2", "is 3", "is 3", "is 3"];
    const model: LanguageModel = {
      ...randomModel(1),
      generate: async (requests) => requests.map((request) => (asked.push(request), { text: answers[request.seed!], numTokens: 2, finish: "stop" })),
    };
    const { tasks: [result] } = await evaluateKnowledge(model, [{ task, docs: [{ q: "x", a: 2 }, { q: "y", a: 1 }] }]);
    expect(asked.map(({ seed, temperature }) => [seed, temperature])).toEqual([0, 1, 2, 3, 4, 0, 1, 2, 3, 4].map((seed) => [seed, 0.5]));
    expect(result.samples[0].filtered).toEqual({ first: "1", all: "2", three: "2" }); // of equally frequent answers the first
    expect(result.samples[0].generations).toEqual(["is 1", "is 2", "is 2", "is 3", "is 3"]);
    expect(result.scores.map(({ filter, value }) => [filter, value])).toEqual([["first", 0.5], ["all", 0.5], ["three", 0.5]]);
  });

  it("finds the letter of a choice by letter, by words, behind a colon", () => {
    const { task } = taskOf("task: m\ntest_split: t\ndoc_to_text: '{{q}}'\ndoc_to_target: '(A)'\nfilter_list: [{name: x, filter: [{function: multi_choice_regex, group_select: -1, ignore_case: true, ignore_punctuation: true, regex_pattern: '(\\([A-Z]\\))'}]}]\n");
    const doc = { q: "?", choices: ["A red  fox.", "Blue (dark)", "red", "Blue, dark"] };
    const find = (text: string) => task.filters![0].apply(text, doc);
    expect(["(A) or (C)", "it is BLUE dark", "the red one", "a red  fox!", "Answer: B", "none: Z", ""].map(find)).toEqual(["(C)", "(D)", "(C)", "(A)", "(B)", "[invalid]", "[invalid]"]);
  });

  it.each([
    ["process_docs: !function utils.mine", /process_docs is !function utils\.mine, expected a template, or a function that this project has/],
    ["doc_to_text: !function other.text", /doc_to_text is !function other\.text/],
    ["metric_list: [{metric: bleu}]", /metrics among acc, .*; bleu is none/],
    ["metric_list: [{metric: f1, aggregation: !function utils.agg}]", /!function utils\.agg is none/],
    ["output_type: strange", /output_type is "strange", expected one of multiple_choice/],
    ["filter_list: [{name: x, filter: [{function: !function utils.F}]}]", /filter !function utils\.F/],
    ["repeats: 0", /repeats is 0, expected a whole number from 1/],
    ["filter_list: [{name: x, filter: [{function: take_first_k, k: 8}]}]", /expected 8 or more, as many as take_first_k takes/],
    ["filter_list: [{name: x, filter: [{function: take_first_k}]}]", /take_first_k has k undefined/],
    ["unheard_of: 1", /unheard_of is 1, expected one of task/],
    ["doc_to_image: image", /doc_to_image is "image", expected nothing/],
  ])("refuses %s", (line, message) => {
    const base = "task: t\ntest_split: test\ndoc_to_text: '{{q}}'\ndoc_to_target: a\n";
    const key = line.split(":")[0];
    expect(() => taskOf(base.split("\n").filter((other) => !other.startsWith(`${key}:`)).join("\n") + line + "\n")).toThrow(message);
  });

  it("fails only by saying what is wrong, whatever the file", () => {
    const { choices, randbelow } = pythonRandom(11);
    let read = 0;
    for (let i = 0; i < 3000; i++) {
      const characters = [...arcYaml];
      for (let k = 0; k <= i % 4; k++) characters.splice(randbelow(characters.length), randbelow(4), ...choices(["!", "{", "}", ":", "-", "\n", " ", "'", '"', "[", "&a", "*a", "%", "\t", "0"], randbelow(3)));
      try {
        const { task } = taskOf(characters.join(""));
        task.choices?.(docs[0]);
        task.text(docs[0]);
        read++;
      } catch (error) {
        expect(error, characters.join("")).toBeInstanceOf(EspalierError);
      }
    }
    expect(read).toBeGreaterThan(300);
  });
});
