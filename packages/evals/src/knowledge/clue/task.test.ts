import { DataError, EspalierError } from "@espalier/core";
import { describe, expect, it } from "vitest";
import { randomModel } from "../../models/mock.ts";
import { pythonRandom } from "../../python/random.ts";
import { evaluateKnowledge } from "../evaluateKnowledge.ts";
import { requestsOf } from "../requests.ts";
import { knowledgeNamed } from "../table.ts";
import type { KnowledgeTask } from "../task.ts";
import { afqmc, c3, clueWsc, cmnli, csl, ocnli, readC3, readClue, tnews } from "./task.ts";

/** Rows in the publisher's form, with the prompt, the choices and the right one as a person would write them. */
const cases: [KnowledgeTask, string, string, string[], string][] = [
  [afqmc, '{"sentence1": "怎么还款", "sentence2": "如何还钱", "label": "1"}', "句子一：怎么还款\n句子二：如何还钱\n问题：这两句话的意思是否相同？\n答案：", ["不同", "相同"], "相同"],
  [ocnli, '{"sentence1": "他在跑步", "sentence2": "他在动", "label": "entailment", "label0": "neutral"}', "前提：他在跑步\n假设：他在动\n问题：根据前提，假设是对、错，还是不一定？\n答案：", ["对", "错", "不一定"], "对"],
  [cmnli, '{"sentence1": "他在跑步", "sentence2": "他很高", "label": "neutral"}', "前提：他在跑步\n假设：他很高\n问题：根据前提，假设是对、错，还是不一定？\n答案：", ["对", "错", "不一定"], "不一定"],
  [clueWsc, '{"target": {"span2_index": 5, "span1_index": 0, "span1_text": "猫", "span2_text": "它"}, "label": "true", "text": "猫来了𠀀，它饿了，它累了"}', "文章：猫来了𠀀，*它*饿了，它累了\n问题：文章中的“它”是否指“猫”？\n答案：", ["不是", "是"], "是"],
  [csl, '{"abst": "本文研究树。", "keyword": ["树", "石头"], "label": "0"}', "摘要：本文研究树。\n关键词：树、石头\n问题：这些关键词是否都出自该摘要？\n答案：", ["不是", "是"], "不是"],
];

describe("CLUE", () => {
  it.each(cases)("$name asks in its own words", (task, row, prompt, choices, right) => {
    const docs = readClue(`${row}\n`);
    expect(requestsOf({ task, docs }).map(({ requests }) => requests)).toEqual([choices.map((continuation) => ({ context: prompt, continuation }))]);
    expect(choices[task.target(docs[0]!) as number]).toBe(right);
    expect(task.chance).toBe(1 / choices.length);
  });

  it("leaves out what annotators did not agree on", () => {
    expect(readClue('{"label": "-"}\n{"label": "neutral"}\n{"label": 1}')).toEqual([{ label: "neutral" }, { label: 1 }]);
  });

  it("does not mark a pronoun that stands elsewhere", () => {
    const [doc] = readClue('{"target": {"span2_index": 1, "span1_text": "猫", "span2_text": "它"}, "label": "true", "text": "猫饿，它累"}');
    expect(clueWsc.text(doc!)).toContain("文章：猫饿，它累\n");
  });

  it("knows the fifteen sections of TNEWS", () => {
    const doc = { sentence: "球队赢了", label: "103", label_desc: "news_sports" };
    expect(new Set(tnews.choices!(doc)).size).toBe(15);
    expect(tnews.choices!(doc)[tnews.target(doc) as number]).toBe("体育");
    expect(() => tnews.target({ label_desc: "news_x" })).toThrow(DataError);
  });

  it("gives each question of a passage of C3, and clusters them", async () => {
    const passages = Array.from({ length: 6 }, (_, p) => [[`男：你好${p}。`, "女：再见。"], [{ question: "谁先说？", choice: ["男", "女"], answer: "男" }, { question: "几个人？", choice: ["一", "两", "三"], answer: "两" }], `id-${p}`]);
    const docs = readC3(JSON.stringify(passages));
    expect(docs).toHaveLength(12);
    const requests = requestsOf({ task: c3, docs });
    expect(requests[1]!.requests.map(({ context, continuation }) => context + continuation)).toEqual(["一", "两", "三"].map((choice) => `文章：男：你好0。\n女：再见。\n问题：几个人？\n答案：${choice}`));
    const { tasks: [result] } = await evaluateKnowledge(randomModel(2), [{ task: c3, docs }]);
    expect(result!.scores[0]!.clusteredStandardError).not.toBeNull();
    expect(result!.samples.map(({ target }) => target)).toEqual(Array.from({ length: 6 }, () => ["男", "两"]).flat());
  });

  it.each(["{", "{}", "[1]", "[[[],1]]", '[[["a"],[{"question":"q","choice":["x"],"answer":"y"}]]]', '[[["a"],[null]]]'])("refuses %s as a file of C3", (text) => {
    expect(() => readC3(text)).toThrow(DataError);
  });

  it("fails only by saying what is wrong, whatever the row", () => {
    const { choices, randbelow } = pythonRandom(5);
    const tasks = [afqmc, ocnli, clueWsc, csl, tnews, c3];
    for (let i = 0; i < 2000; i++) {
      const characters = [...cases[i % cases.length]![1]];
      for (let k = 0; k <= i % 3; k++) characters.splice(randbelow(characters.length), randbelow(6), ...choices(['"', "{", "}", "[", "]", ",", ":", "1", "null", "x"], randbelow(3)));
      try {
        for (const doc of readClue(characters.join(""))) for (const task of tasks) [task.text, task.target, task.choices!].forEach((of) => of(doc));
      } catch (error) {
        expect(error, characters.join("")).toBeInstanceOf(EspalierError);
      }
    }
  });

  it("stands in the table", () => {
    const names = ["afqmc", "ocnli", "cmnli", "wsc", "csl", "tnews", "c3", "iflytek", "chid", "cmrc2018"];
    expect(knowledgeNamed(["clue"]).map(({ name, licence }) => [name, licence])).toEqual(names.map((name) => [`clue_${name}`, name === "cmrc2018" ? "CC BY-SA 4.0" : "none stated"]));
  });
});
