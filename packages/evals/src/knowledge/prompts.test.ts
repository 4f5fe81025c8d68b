import { describe, expect, it } from "vitest";
import { arc } from "./arc/task.ts";
import { babi, readBabiDocs } from "./babi/task.ts";
import { bbh, readBbh } from "./bbh/task.ts";
import { boolQ, readBoolQDocs } from "./boolQ/task.ts";
import { ceval, cmmlu, readExam } from "./chineseExams/task.ts";
import { openBookQa, piqa, sciq } from "./commonsense/task.ts";
import { copa, readCopa } from "./copa/task.ts";
import { gsm8k } from "./gsm8k/task.ts";
import { hellaswag } from "./hellaswag/task.ts";
import { lambada, readLambada } from "./lambada/task.ts";
import { goldOf } from "./metrics.ts";
import { mmlu } from "./mmlu/task.ts";
import { requestsOf } from "./requests.ts";
import { multirc } from "./superGlue/multirc.ts";
import { record, squadScores } from "./superGlue/record.ts";
import { cb, rte, wic, wsc } from "./superGlue/task.ts";
import type { Doc, KnowledgeTask } from "./task.ts";
import { readTruthfulQa, truthfulQaMc1, truthfulQaMc2 } from "./truthfulQa/task.ts";
import { winogrande, wsc273 } from "./winograd/task.ts";
import { xcopa } from "./xcopa/task.ts";

/** `context|continuation` of each request. */
function asked(task: KnowledgeTask, doc: Doc, fewshotDocs?: readonly Doc[], numFewshot = 0): string[] {
  const [{ requests, prompt }] = requestsOf({ task, docs: [doc], ...(fewshotDocs && { fewshotDocs }) }, { numFewshot });
  return prompt === undefined ? requests.map(({ context, continuation }) => `${context}|${continuation}`) : [prompt];
}
const gold = (task: KnowledgeTask, doc: Doc): number => goldOf(task, doc, task.choices!(doc))[0];

// Made-up documents; the expected texts were written by hand from the task files of lm-evaluation-harness.
describe("prompts of the present harness", () => {
  it("ARC, labels as letters or digits, one shot", () => {
    const doc = { question: "What is wet?", choices: { text: ["Fire", "Water"], label: ["1", "2"] }, answerKey: "2" };
    const shot = { question: "What is hot?", choices: { text: ["Fire", "Ice"], label: ["A", "B"] }, answerKey: "A" };
    expect(asked(arc("easy"), doc)).toEqual(["Question: What is wet?\nAnswer:| Fire", "Question: What is wet?\nAnswer:| Water"]);
    expect(gold(arc("easy"), doc)).toBe(1);
    expect(asked(arc("challenge"), doc, [shot], 1)[0]).toBe("Question: What is hot?\nAnswer: Fire\n\nQuestion: What is wet?\nAnswer:| Fire");
    expect(() => gold(arc("easy"), { ...doc, answerKey: "C" })).toThrow(/answerKey C is none of 1, 2/);
  });

  it("HellaSwag lowers all of ctx_b but its first letter and takes markup out", () => {
    const doc = { activity_label: "Baking", ctx_a: "A man [substeps] stands.", ctx_b: "HE Bakes", endings: ["a  cake [title] Eat.", "[header] bread"], label: "1", source_id: "x" };
    expect(asked(hellaswag(), doc)).toEqual(["Baking: A man stands. He bakes| a cake. Eat.", "Baking: A man stands. He bakes|  bread"]);
    expect(gold(hellaswag(), doc)).toBe(1);
  });

  it("MMLU takes shots in order and names the subject", () => {
    const doc = { question: " Two? ", choices: ["1", "2", "3", "4"], answer: 1 };
    const shot = { question: "One?", choices: ["1", "2", "3", "4"], answer: 0 };
    expect(asked(mmlu("high_school_physics"), doc, [shot, doc], 1)[2]).toBe(
      "The following are multiple choice questions (with answers) about high school physics.\n\nOne?\nA. 1\nB. 2\nC. 3\nD. 4\nAnswer: A\n\nTwo?\nA. 1\nB. 2\nC. 3\nD. 4\nAnswer:| C",
    );
  });

  it("TruthfulQA puts six fixed questions first", () => {
    const [doc] = readTruthfulQa('[{"question": "Why?", "mc1_targets": {"Because.": 1, "No.": 0}, "mc2_targets": {"Because.": 1, "So.": 1, "No.": 0}}]');
    const [first] = asked(truthfulQaMc1, doc);
    expect(first.startsWith("Q: What is human life expectancy in the United States?\nA: Human life expectancy")).toBe(true);
    expect(first.endsWith("The 1992 Olympics were held in Barcelona, Spain.\n\nQ: Why?\nA:| Because.")).toBe(true);
    expect(asked(truthfulQaMc2, doc)).toHaveLength(3);
  });

  it("BoolQ, yes second; v0.3 asks yes first", () => {
    const [doc] = readBoolQDocs('{"question": "is it", "title": "It", "answer": true, "passage": "It is."}');
    expect(asked(boolQ(), doc)).toEqual(["It -- It is.\nQuestion: is it?\nAnswer:| no", "It -- It is.\nQuestion: is it?\nAnswer:| yes"]);
    expect([gold(boolQ(), doc), gold(boolQ("v0.3"), doc)]).toEqual([1, 0]);
  });

  it("COPA has two spaces, XCOPA one", () => {
    const [doc] = readCopa('{"id": 1, "asks_for": "cause", "premise": "It fell. ", "a1": "It broke.", "a2": "I slept.", "gold": 0}');
    expect(asked(copa(), doc)).toEqual(["It fell because|  it broke.", "It fell because|  i slept."]);
    expect(asked(copa("v0.3"), doc)[0]).toBe("It fell because| it broke.");
    expect(asked(xcopa("zh"), { premise: "它破了。", choice1: "它很脆。", choice2: "它很小。", question: "effect", label: 0 })[0]).toBe("它破了 所以| 它很脆。");
    expect(() => xcopa("xx")).toThrow(/language xx, expected one of et/);
  });

  it("WinoGrande and WSC273 put the options into the context", () => {
    const doc = { sentence: "Ann saw Bea, so _ waved.", option1: "Ann", option2: "Bea", answer: "2" };
    expect(asked(winogrande(), doc)).toEqual(["Ann saw Bea, so Ann| waved.", "Ann saw Bea, so Bea| waved."]);
    expect(gold(winogrande(), doc)).toBe(1);
    const schema = { text: "The man  left. His dog barked.", pronoun: "His", pronoun_loc: 14, quote: "", options: ["The man", "A cat"], label: 0 };
    expect(asked(wsc273(), schema)).toEqual(["The man left. The man's|  dog barked.", "The man left. A cat's|  dog barked."]);
    const within = { ...schema, text: "He left, and his dog barked.", pronoun: "his", pronoun_loc: 13 };
    expect(asked(wsc273(), within)[0]).toBe("He left, and the man's|  dog barked.");
  });

  it("LAMBADA scores the last word; a shot of it has two spaces", () => {
    const [doc, shot] = readLambada('{"context": "a b", "continuation": "c"}\n{"text": "x y z"}');
    expect(asked(lambada(), doc)).toEqual(["a b| c"]);
    expect(asked(lambada(), doc, [shot], 1)).toEqual(["x y  z\n\na b| c"]);
    expect(asked(lambada("v0.3"), doc, [shot], 1)).toEqual(["x y z\n\na b| c"]);
  });

  it("GSM8K, BBH and bAbI generate", () => {
    const problem = { question: "1+1?", answer: "It is 2.\n#### 2" };
    expect(asked(gsm8k(), problem, [problem], 1)).toEqual(["Question: 1+1?\nAnswer: It is 2.\n#### 2\n\nQuestion: 1+1?\nAnswer:"]);
    const [doc] = readBbh('{"examples": [{"input": "not True is", "target": "False"}]}');
    expect(asked(bbh("boolean_expressions"), doc)).toEqual(["Evaluate the result of a random Boolean expression.\n\nQ: not True is\nA:"]);
    expect(() => bbh("nothing")).toThrow(/subtask nothing, expected one of boolean_expressions/);
    expect(() => readBbh("{}")).toThrow(/no list `examples`/);
    const [story] = readBabiDocs("1 Mary moved to the hall.\n2 Where is Mary? \thall\t1\n");
    expect(asked(babi, story, [story], 1)).toEqual(["Passage: Mary moved to the hall.\nQuestion: Where is Mary?\nAnswer: hall\n\nPassage: Mary moved to the hall.\nQuestion: Where is Mary?\nAnswer:"]);
  });

  it("C-Eval and CMMLU read a user's CSV", () => {
    const [doc] = readExam('id,question,A,B,C,D,answer\n0,"甲,""乙""？",一,二,三,四,B\n');
    expect(asked(ceval("art_studies", "艺术学"), doc)[1]).toBe('以下是中国关于艺术学的单项选择题，请选出其中的正确答案。\n\n甲,"乙"？\nA. 一\nB. 二\nC. 三\nD. 四\n答案：| B');
    expect(gold(ceval("art_studies", "艺术学"), doc)).toBe(1);
    const exam = { Question: "问？", A: "一", B: "二", C: "三", D: "四", Answer: "D" };
    expect(asked(cmmlu("anatomy", "解剖学"), exam)[3]).toBe("以下是关于解剖学的单项选择题，请直接给出正确答案的选项。\n\n问？\nA. 一\nB. 二\nC. 三\nD. 四\n答案：| D");
    expect(() => readExam("a,b\n1\n")).toThrow(/row 1 has 1 cells, expected 2/);
  });

  it("SuperGLUE's others", () => {
    const pair = { premise: "It rains.", hypothesis: "It is wet", label: 0 };
    expect(asked(cb(), pair)[2]).toBe("It rains.\nQuestion: It is wet. True, False, or Neither?\nAnswer:| Neither");
    expect(asked(rte(), pair)).toEqual(["It rains.\nQuestion: It is wet True or False?\nAnswer:| True", "It rains.\nQuestion: It is wet True or False?\nAnswer:| False"]);
    expect(asked(multirc, { paragraph: "P.", question: "Q?", answer: "yes it is", label: 1 })).toEqual([
      "P.\nQuestion: Q?\nAnswer:| yes it is\nIs the answer correct? yes",
      "P.\nQuestion: Q?\nAnswer:| yes it is\nIs the answer correct? no",
    ]);
    const senses = { sentence1: "😀 a bank", sentence2: "the banks", start1: 4, end1: 8, label: 0 };
    expect(asked(wic(), senses)[0]).toBe("Sentence 1: 😀 a bank\nSentence 2: the banks\nQuestion: Is the word 'bank' used in the same way in the two sentences above?\nAnswer:| no");
    const schema = { text: "Mark told Pete lies , which he ca n't deny .", span2_index: 6, span2_text: "he", span1_text: "Mark", label: 1 };
    expect(asked(wsc(), schema)[1]).toBe('Passage: Mark told Pete lies, which *he* can\'t deny.\nQuestion: In the passage above, does the pronoun "*he*" refer to "*Mark*"?\nAnswer:| yes');
    expect(asked(record, { passage: "Text.\n@highlight\nOne\n@highlight\nTwo", query: "@placeholder won", entities: ["B", "A", "B"], answers: ["B"] })).toEqual([
      "Text.\n\n  - One.\n  - Two.\n|   - A won",
      "Text.\n\n  - One.\n  - Two.\n|   - B won",
    ]);
    expect(squadScores("The Dog's house", "dogs house!")).toEqual({ em: 1, f1: 1 });
    expect(squadScores("red dog", "dog")).toEqual({ em: 0, f1: 2 / 3 });
  });

  it("PIQA, OpenBookQA and SciQ", () => {
    expect(asked(piqa(), { goal: "Open it", sol1: "Pull", sol2: "Push", label: 1 })).toEqual(["Question: Open it\nAnswer:| Pull", "Question: Open it\nAnswer:| Push"]);
    expect(gold(openBookQa(), { question_stem: "Sun is", choices: { text: ["hot", "cold"], label: ["A", "B"] }, answerKey: " B" })).toBe(1);
    const doc = { support: " S.", question: "Q?", distractor1: "a", distractor2: "b", distractor3: "c", correct_answer: "d" };
    expect(asked(sciq(), doc)[3]).toBe("S.\nQuestion: Q?\nAnswer:| d");
  });
});
