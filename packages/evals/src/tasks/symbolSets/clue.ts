/** Readers of CLUE's classification sets in their JSON Lines form, for symbolic mapping. CLUE states no licence; no file ships. */

import { DataError } from "@espalier/core";
import type { ClassificationItem } from "../classificationSets.ts";
import { field, jsonLines, labelOf, objectField, type Row } from "./rows.ts";

const NO_YES = [["0", "false"], ["1", "true"]] as const;

/** AFQMC, do two questions to a bank mean the same: `sentence1`, `sentence2`, `label` (0, 1). */
export function readAfqmc(text: string): ClassificationItem[] {
  return jsonLines("readAfqmc", text).map((row, n) => ({
    text: `${field("readAfqmc", row, n, "sentence1", "string")}\n${field("readAfqmc", row, n, "sentence2", "string")}`,
    label: labelOf("readAfqmc", row, n, NO_YES),
  }));
}

/** CSL, are all keywords those of the abstract: `abst`, `keyword` (list), `label` (0, 1). */
export function readCsl(text: string): ClassificationItem[] {
  return jsonLines("readCsl", text).map((row, n) => ({
    text: `${field("readCsl", row, n, "abst", "string")}\n关键词：${keywords(row, n).join("，")}`,
    label: labelOf("readCsl", row, n, NO_YES),
  }));
}

function keywords(row: Row, n: number): string[] {
  const { keyword } = row;
  if (!Array.isArray(keyword) || !keyword.every((word) => typeof word === "string")) {
    throw new DataError(`readCsl: item ${n + 1} has keyword ${JSON.stringify(keyword)}, expected a list of strings. Check the file.`);
  }
  return keyword;
}

/** OCNLI and CMNLI, does the second sentence follow: `sentence1`, `sentence2`, `label`. Items without a majority (`-`) are left out. */
export function readChineseNli(text: string): ClassificationItem[] {
  return jsonLines("readChineseNli", text).flatMap((row, n) =>
    row.label === "-"
      ? []
      : [
          {
            text: `${field("readChineseNli", row, n, "sentence1", "string")}\n${field("readChineseNli", row, n, "sentence2", "string")}`,
            label: labelOf("readChineseNli", row, n, [["entailment"], ["contradiction"], ["neutral"]]),
          },
        ],
  );
}

/** CLUEWSC2020: `text`, `target` (`span1_text`: noun, `span2_text`: pronoun), `label` (true: the pronoun is the noun). */
export function readClueWsc(text: string): ClassificationItem[] {
  return jsonLines("readClueWsc", text).map((row, n) => {
    const target = objectField("readClueWsc", row, n, "target");
    return {
      text: `${field("readClueWsc", row, n, "text", "string")}\n其中“${field("readClueWsc", target, n, "span2_text", "string")}”指“${field("readClueWsc", target, n, "span1_text", "string")}”吗？`,
      label: labelOf("readClueWsc", row, n, NO_YES),
    };
  });
}

/** TNEWS, the topic of a headline: `sentence`, `label_desc` (`news_story` ...). */
export function readTnews(text: string): ClassificationItem[] {
  return jsonLines("readTnews", text).map((row, n) => ({
    text: field("readTnews", row, n, "sentence", "string"),
    label: labelOf("readTnews", { label: field("readTnews", row, n, "label_desc", "string") }, n, tnewsTopics.map((topic) => [topic, `news_${topic}`])),
  }));
}

export const tnewsTopics = "story culture entertainment sports finance house car edu tech military travel world stock agriculture game".split(" ");
