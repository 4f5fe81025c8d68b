/**
 * Readers of SuperGLUE's classification sets in JSON Lines, for symbolic mapping: as published, or as the Hugging Face hub has
 * them, with numbers for labels. None of the files ship.
 */

import type { ClassificationItem } from "../classificationSets.ts";
import { field, jsonLines, labelOf, objectField } from "./rows.ts";

const NO_YES = [["false", "0"], ["true", "1"]] as const;

/** CommitmentBank: `premise`, `hypothesis`, `label` (entailment, contradiction, neutral). */
export function readCb(text: string): ClassificationItem[] {
  return jsonLines("readCb", text).map((row, n) => ({
    text: `${field("readCb", row, n, "premise", "string")}\nStatement: ${field("readCb", row, n, "hypothesis", "string")}`,
    label: labelOf("readCb", row, n, [["entailment", "0"], ["contradiction", "1"], ["neutral", "2"]]),
  }));
}

/** Recognising Textual Entailment: `premise`, `hypothesis`, `label` (entailment, not_entailment). */
export function readRte(text: string): ClassificationItem[] {
  return jsonLines("readRte", text).map((row, n) => ({
    text: `${field("readRte", row, n, "premise", "string")}\nStatement: ${field("readRte", row, n, "hypothesis", "string")}`,
    label: labelOf("readRte", row, n, [["entailment", "0"], ["not_entailment", "1"]]),
  }));
}

/** Word in Context: `word`, `sentence1`, `sentence2`, `label` (true: the same sense). */
export function readWic(text: string): ClassificationItem[] {
  return jsonLines("readWic", text).map((row, n) => ({
    text: `${field("readWic", row, n, "sentence1", "string")}\n${field("readWic", row, n, "sentence2", "string")}\nWord: ${field("readWic", row, n, "word", "string")}`,
    label: labelOf("readWic", row, n, NO_YES),
  }));
}

/** Winograd schemas: `text`, `target` (`span1_text`: noun, `span2_text`: pronoun; both may stand in the row itself), `label` (true: the pronoun is the noun). */
export function readWsc(text: string): ClassificationItem[] {
  return jsonLines("readWsc", text).map((row, n) => {
    const target = "span1_text" in row ? row : objectField("readWsc", row, n, "target");
    return {
      text: `${field("readWsc", row, n, "text", "string")}\nIs "${field("readWsc", target, n, "span2_text", "string")}" here ${field("readWsc", target, n, "span1_text", "string")}?`,
      label: labelOf("readWsc", row, n, NO_YES),
    };
  });
}
