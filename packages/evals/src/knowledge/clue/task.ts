/**
 * CLUE (Xu et al. 2020, arXiv:2004.05986): AFQMC, OCNLI, CMNLI, CLUEWSC2020, CSL, TNEWS and C3; IFLYTEK, ChID and CMRC 2018
 * stand beside this file. No licence is stated, so nothing ships: documents are a user's files in the publisher's form.
 * lm-evaluation-harness has none of them; the wording is this project's, scores compare among its own runs alone.
 */

import { DataError } from "@espalier/core";
import { codePoints, pythonSlice } from "../../python/text.ts";
import { readJsonLines } from "../readers.ts";
import { type Doc, type KnowledgeTask, numberOf, textOf, textsOf } from "../task.ts";

/** What all tasks of CLUE have in common. */
export const clueBase = { version: 1, harness: "v0.4", outputType: "multiple_choice", scoredSplit: "validation", targetDelimiter: "", metrics: [{ name: "acc" }, { name: "acc_norm" }] } as const;

/** A question whose choices and labels are the same for all documents. */
function classification(name: string, choices: readonly string[], labels: readonly string[], text: (doc: Doc) => string): KnowledgeTask {
  return {
    ...clueBase,
    name,
    text,
    choices: () => choices,
    target(doc) {
      const label = labels.indexOf(typeof doc.label === "number" ? String(doc.label) : textOf(doc, "label"));
      if (label < 0) throw new DataError(`${name}: label is ${JSON.stringify(doc.label)}, expected one of ${labels.join(", ")}. Take the publisher's file.`);
      return label;
    },
    chance: 1 / choices.length,
  };
}

/** Lines with a label; annotators who did not agree left "-". @throws {DataError} naming the line that is no object */
export const readClue = (text: string): Doc[] => readJsonLines(text).filter(({ label }) => label !== "-");

/** Whether two questions to a bank mean the same. */
export const afqmc = classification("clue_afqmc", ["不同", "相同"], ["0", "1"], (doc) => `句子一：${textOf(doc, "sentence1")}\n句子二：${textOf(doc, "sentence2")}\n问题：这两句话的意思是否相同？\n答案：`);

const inference = (name: string): KnowledgeTask =>
  classification(name, ["对", "错", "不一定"], ["entailment", "contradiction", "neutral"], (doc) => `前提：${textOf(doc, "sentence1")}\n假设：${textOf(doc, "sentence2")}\n问题：根据前提，假设是对、错，还是不一定？\n答案：`);

/** Inference, written in Chinese (Hu et al. 2020, arXiv:2010.05444). */
export const ocnli = inference("clue_ocnli");
/** Inference, translated from MNLI and XNLI. */
export const cmnli = inference("clue_cmnli");

/** Whether a pronoun means a noun; positions count characters, and the pronoun is marked where the file says it stands. */
export const clueWsc = classification("clue_wsc", ["不是", "是"], ["false", "true"], (doc) => {
  const [text, spans] = [textOf(doc, "text"), doc.target as Doc];
  if (typeof spans !== "object" || spans === null) throw new DataError(`clue_wsc: column target is ${JSON.stringify(spans)}, expected spans. Take the publisher's file.`);
  const [pronoun, noun, at] = [textOf(spans, "span2_text"), textOf(spans, "span1_text"), numberOf(spans, "span2_index")];
  const end = at + codePoints(pronoun);
  const marked = pythonSlice(text, at, end) === pronoun ? `${pythonSlice(text, 0, at)}*${pronoun}*${pythonSlice(text, end)}` : text;
  return `文章：${marked}\n问题：文章中的“${pronoun}”是否指“${noun}”？\n答案：`;
});

/** Whether all keywords belong to an abstract. */
export const csl = classification("clue_csl", ["不是", "是"], ["0", "1"], (doc) => `摘要：${textOf(doc, "abst")}\n关键词：${textsOf(doc, "keyword").join("、")}\n问题：这些关键词是否都出自该摘要？\n答案：`);

const NEWS: Readonly<Record<string, string>> = {
  news_story: "故事",
  news_culture: "文化",
  news_entertainment: "娱乐",
  news_sports: "体育",
  news_finance: "财经",
  news_house: "房产",
  news_car: "汽车",
  news_edu: "教育",
  news_tech: "科技",
  news_military: "军事",
  news_travel: "旅游",
  news_world: "国际",
  news_stock: "股票",
  news_agriculture: "农业",
  news_game: "电竞",
};

/** The section of a news headline. */
export const tnews: KnowledgeTask = {
  ...clueBase,
  name: "clue_tnews",
  text: (doc) => `新闻：${textOf(doc, "sentence")}\n问题：这条新闻属于哪一类？\n答案：`,
  choices: () => Object.values(NEWS),
  target(doc) {
    const section = Object.keys(NEWS).indexOf(textOf(doc, "label_desc"));
    if (section < 0) throw new DataError(`clue_tnews: label_desc is ${JSON.stringify(doc.label_desc)}, expected one of ${Object.keys(NEWS).join(", ")}. Take the publisher's file.`);
    return section;
  },
  chance: 1 / Object.keys(NEWS).length,
};

/**
 * Questions of C3 (Sun et al. 2020, arXiv:1904.09679): `[[paragraphs, [{question, choice, answer}], id]]`, one document a
 * question.
 *
 * @throws {DataError} for another form, or an answer that is none of its choices
 */
export function readC3(text: string): Doc[] {
  let passages: unknown;
  try {
    passages = JSON.parse(text);
  } catch (cause) {
    throw new DataError("readC3: the text is not JSON, expected the publisher's file. Check that it is complete.", { cause });
  }
  if (!Array.isArray(passages)) throw new DataError("readC3: no list of passages, expected the publisher's file. Check the file.");
  return passages.flatMap((passage: unknown, p) => {
    const [paragraphs, questions] = Array.isArray(passage) ? (passage as unknown[]) : [];
    if (!Array.isArray(paragraphs) || !Array.isArray(questions)) throw new DataError(`readC3: passage ${p + 1} is no list of paragraphs and questions. Check the file.`);
    return questions.map((question: unknown): Doc => {
      const doc = { ...(question as object), context: paragraphs.map(String).join("\n") } as Doc;
      if (!textsOf(doc, "choice").includes(textOf(doc, "answer"))) throw new DataError(`readC3: answer ${JSON.stringify(doc.answer)} of passage ${p + 1} is none of its choices. Check the file.`);
      return doc;
    });
  });
}

/** Reading comprehension with two to four choices. */
export const c3: KnowledgeTask = {
  ...clueBase,
  name: "clue_c3",
  text: (doc) => `文章：${textOf(doc, "context")}\n问题：${textOf(doc, "question")}\n答案：`,
  choices: (doc) => textsOf(doc, "choice"),
  target: (doc) => textsOf(doc, "choice").indexOf(textOf(doc, "answer")),
  cluster: (doc) => textOf(doc, "context"),
};
