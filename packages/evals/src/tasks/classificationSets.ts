/** Classification items for symbolic mapping: procedural sets that ship with the package, and readers for files. */

import { field, jsonLines } from "./symbolSets/rows.ts";
import type { Draw } from "./task.ts";
import { LOWER, pseudoWords, symbols } from "./vocabulary.ts";

export interface ClassificationItem {
  text: string;
  /** Index into the labels of the set. */
  label: number;
}

/** Items drawn by a procedure: as many as are asked for. */
export interface ProceduralSet {
  kind: "procedural";
  name: string;
  /** Licence of the items. */
  licence: string;
  /** Real labels, in the language of the items. */
  labels: readonly string[];
  /** Opens the prompt; `{labels}` becomes the list of allowed answers. */
  instruction: string;
  draw(draw: Draw, label: number, length: number): string;
}

/** Items read from a file: each is asked once, so a set of n items gives n distinct queries. */
export interface FixedSet {
  kind: "fixed";
  name: string;
  licence: string;
  labels: readonly string[];
  instruction: string;
  items: readonly ClassificationItem[];
}

export type ClassificationSet = ProceduralSet | FixedSet;

/** Whether two strings are the same: two classes that need no knowledge (the form of WiC). */
export const sameOrDifferent: ProceduralSet = {
  kind: "procedural",
  name: "sameOrDifferent",
  licence: "Apache-2.0",
  labels: ["different", "same"],
  instruction: "Answer {labels}.",
  draw(draw, label, length) {
    const first = symbols(draw, length, LOWER);
    if (label === 1) return `${first.join(" ")} | ${first.join(" ")}`;
    const second = [...first];
    const position = draw.integer(length);
    second[position] = draw.pick(LOWER.filter((letter) => letter !== first[position]));
    return `${first.join(" ")} | ${second.join(" ")}`;
  },
};

/** Made-up facts and a yes/no question on one of them (the form of BoolQ). `length` facts. */
export const madeUpFacts: ProceduralSet = {
  kind: "procedural",
  name: "madeUpFacts",
  licence: "Apache-2.0",
  labels: ["no", "yes"],
  instruction: "Answer {labels}.",
  draw(draw, label, length) {
    const things = pseudoWords(draw, length, 1);
    const [stranger, ...qualities] = pseudoWords(draw, length + 1, 1);
    const asked = draw.integer(length);
    // A wrong quality is another thing's where there is one, so that being mentioned is no sign of being true.
    const wrong = length === 1 ? stranger : draw.pick(qualities.filter((_, k) => k !== asked));
    const facts = things.map((thing, k) => `The ${thing} is ${qualities[k]}.`).join(" ");
    return `${facts} Is the ${things[asked]} ${label === 1 ? qualities[asked] : wrong}?`;
  },
};

const SURNAMES = [..."赵钱孙李周吴郑王冯陈"];
const GIVEN_NAMES = [..."明华丽强芳伟敏静军杰娟涛超平刚红玉林雪春"];
const PLACES = "公园 学校 车站 医院 商店 厨房 花园 教室 书店 餐厅 银行 机场 邮局 剧院 工厂 农场 海边 山上 河边 家里".split(" ");

/** The same in Chinese: who is at which place; a procedural stand-in for the Chinese half. */
export const madeUpPlacesChinese: ProceduralSet = {
  kind: "procedural",
  name: "madeUpPlacesChinese",
  licence: "Apache-2.0",
  labels: ["不是", "是"],
  instruction: "用{labels}回答。",
  draw(draw, label, length) {
    const surnames = draw.sample(SURNAMES, length); // distinct, so that names are
    const names = surnames.map((surname) => surname + draw.pick(GIVEN_NAMES));
    const [stranger, ...places] = draw.sample(PLACES, length + 1);
    const asked = draw.integer(length);
    const wrong = length === 1 ? stranger : draw.pick(places.filter((_, k) => k !== asked));
    const facts = names.map((name, k) => `${name}在${places[k]}。`).join("");
    return `${facts}${names[asked]}在${label === 1 ? places[asked] : wrong}？`;
  },
};

/**
 * BoolQ in its JSON Lines form (`question`, `answer`, `passage`), e.g. `dev.jsonl`. CC BY-SA 3.0; not shipped.
 *
 * @throws {DataError} for a line that is not JSON or lacks a field
 * @see Clark et al. 2019, arXiv:1905.10044
 */
export function readBoolQ(text: string): FixedSet {
  const items = jsonLines("readBoolQ", text).map((row, n) => ({
    text: `${field("readBoolQ", row, n, "passage", "string")}\nQuestion: ${field("readBoolQ", row, n, "question", "string")}?`,
    label: field("readBoolQ", row, n, "answer", "boolean") ? 1 : 0,
  }));
  return {
    kind: "fixed",
    name: "BoolQ",
    licence: "CC BY-SA 3.0",
    labels: ["no", "yes"],
    instruction: "Read the passage and answer the question with {labels}.",
    items,
  };
}

/**
 * XCOPA in Chinese, JSON Lines (`premise`, `choice1`, `choice2`, `question`, `label`). CC BY 4.0; not shipped.
 *
 * @throws {DataError} for a line that is not JSON or lacks a field
 * @see Ponti et al. 2020, arXiv:2005.00333
 */
export function readXcopaZh(text: string): FixedSet {
  const where = "readXcopaZh";
  const items = jsonLines(where, text).map((row, n) => ({
    text:
      `${field(where, row, n, "premise", "string")}\n` +
      `问题：${field(where, row, n, "question", "string") === "cause" ? "原因" : "结果"}是哪一个？\n` +
      `甲：${field(where, row, n, "choice1", "string")}\n乙：${field(where, row, n, "choice2", "string")}`,
    label: field(where, row, n, "label", "number"),
  }));
  return {
    kind: "fixed",
    name: "XCOPA-zh",
    licence: "CC BY 4.0",
    labels: ["甲", "乙"],
    instruction: "用{labels}回答。",
    items,
  };
}
