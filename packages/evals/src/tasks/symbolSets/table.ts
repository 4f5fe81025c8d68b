/**
 * Sets for symbolic mapping that a user supplies, with where they are expected, under which licence, and how many items the
 * paper's set has. A file is taken only with the digest that a manifest, or this table, states for it.
 */

import { ConfigError, DataError } from "@espalier/core";
import { sha256Bytes } from "../../digest.ts";
import { type ClassificationItem, type FixedSet, readBoolQ, readXcopaZh } from "../classificationSets.ts";
import { symbolMapping } from "../symbolMapping.ts";
import type { Task } from "../task.ts";
import { readAfqmc, readChineseNli, readClueWsc, readCsl, readTnews, tnewsTopics } from "./clue.ts";
import { readCb, readRte, readWic, readWsc } from "./superGlue.ts";

export interface SymbolSetEntry {
  /** Id of the task. */
  readonly id: string;
  readonly title: string;
  /** Below a data directory. */
  readonly path: string;
  /** As the publisher states it. A manifest may state another. */
  readonly licence: string;
  /** Of the file this project was checked with. */
  readonly sha256?: string;
  /** Items of the paper's set, as its printed scores imply; 300 where the paper lacks the set. */
  readonly paperItems: number;
  readonly labels: readonly string[];
  /** `{labels}` becomes the allowed answers. */
  readonly instruction: string;
  read(text: string): readonly ClassificationItem[];
}

/** What a manifest states of one file. */
export interface SymbolSetFile {
  sha256: string;
  licence?: string;
}

const NLI = ["entailment", "contradiction", "neutral"];
const ENGLISH = "Answer with {labels}.";
const CHINESE = "用{labels}回答。";
const NONE_STATED = "none stated: do not pass on";

export const symbolSetTable: readonly SymbolSetEntry[] = [
  {
    id: "symbolBoolQ",
    title: "Symbolic mapping (BoolQ)",
    path: "boolq/boolq_dev.jsonl",
    licence: "CC BY-SA 3.0",
    sha256: "ebc29ea3808c5c611672384b3de56e83349fe38fc1fe876fd29b674d81d0a80a",
    paperItems: 299,
    labels: ["no", "yes"],
    instruction: "Read the passage and answer the question with {labels}.",
    read: (text) => readBoolQ(text).items,
  },
  { id: "symbolWic", title: "Symbolic mapping (WiC)", path: "wic/validation.jsonl", licence: "CC BY-NC 4.0", paperItems: 300, labels: ["no", "yes"], instruction: "Has the word the same sense in both sentences? Answer with {labels}.", read: readWic },
  { id: "symbolRte", title: "Symbolic mapping (RTE)", path: "rte/validation.jsonl", licence: "unknown: do not pass on", paperItems: 277, labels: ["entailment", "not_entailment"], instruction: `Does the statement follow? ${ENGLISH}`, read: readRte },
  { id: "symbolWsc", title: "Symbolic mapping (WSC)", path: "wsc/validation.jsonl", licence: "unknown: do not pass on", paperItems: 103, labels: ["no", "yes"], instruction: ENGLISH, read: readWsc },
  { id: "symbolCb", title: "Symbolic mapping (CB)", path: "cb/validation.jsonl", licence: "unknown: do not pass on", paperItems: 300, labels: NLI, instruction: `Does the statement follow? ${ENGLISH}`, read: readCb },
  { id: "symbolAfqmc", title: "Symbolic mapping (AFQMC)", path: "afqmc/dev.json", licence: NONE_STATED, paperItems: 300, labels: ["不同", "相同"], instruction: `两个问题意思相同吗？${CHINESE}`, read: readAfqmc },
  { id: "symbolCsl", title: "Symbolic mapping (CSL)", path: "csl/dev.json", licence: NONE_STATED, paperItems: 208, labels: ["不是", "是"], instruction: `关键词都属于摘要吗？${CHINESE}`, read: readCsl },
  { id: "symbolOcnli", title: "Symbolic mapping (OCNLI)", path: "ocnli/dev.json", licence: NONE_STATED, paperItems: 300, labels: ["蕴含", "矛盾", "中立"], instruction: `两句话是什么关系？${CHINESE}`, read: readChineseNli },
  { id: "symbolCmnli", title: "Symbolic mapping (CMNLI)", path: "cmnli/dev.json", licence: NONE_STATED, paperItems: 300, labels: ["蕴含", "矛盾", "中立"], instruction: `两句话是什么关系？${CHINESE}`, read: readChineseNli },
  { id: "symbolClueWsc", title: "Symbolic mapping (CLUEWSC2020)", path: "cluewsc2020/dev.json", licence: NONE_STATED, paperItems: 300, labels: ["不是", "是"], instruction: CHINESE, read: readClueWsc },
  { id: "symbolTnews", title: "Symbolic mapping (TNEWS)", path: "tnews/dev.json", licence: NONE_STATED, paperItems: 300, labels: tnewsTopics, instruction: `标题属于哪一类？${CHINESE}`, read: readTnews },
  {
    id: "symbolXcopaZh",
    title: "Symbolic mapping (XCOPA in Chinese)",
    path: "xcopa_zh/test.zh.jsonl",
    licence: "CC BY 4.0",
    sha256: "c9b42590399214b9f066adacac2465d7286f5e590181fe6bfd7f6139531b83d4",
    paperItems: 300,
    labels: ["甲", "乙"],
    instruction: CHINESE,
    read: (text) => readXcopaZh(text).items,
  },
];

/**
 * An entry by id.
 *
 * @throws {ConfigError} naming all ids
 */
export function symbolSetNamed(id: string): SymbolSetEntry {
  const entry = symbolSetTable.find((known) => known.id === id);
  if (entry === undefined) throw new ConfigError(`symbolSetNamed: "${id}" is no set, expected one of ${symbolSetTable.map((known) => known.id).join(", ")}.`);
  return entry;
}

/**
 * The symbolic mapping task over a user's file, once the file has the digest that `manifest` states for its path, or, where
 * that is silent, the table.
 *
 * @param bytes    the file
 * @param manifest digest and licence by path: `files` of a `manifest.json`
 * @throws {DataError} when no digest is stated, when it differs, or when a row is malformed
 */
export async function symbolMappingOf(entry: SymbolSetEntry, bytes: Uint8Array<ArrayBuffer>, manifest: Readonly<Record<string, SymbolSetFile>> = {}): Promise<Task> {
  const { id, title, path, paperItems } = entry;
  const stated = manifest[path];
  const expected = stated?.sha256 ?? entry.sha256;
  const found = await sha256Bytes(bytes);
  if (expected === undefined) {
    throw new DataError(`symbolMappingOf: no manifest states a digest of ${path}, expected one. If the file is the right one, put {"files": {"${path}": {"sha256": "${found}", "licence": ...}}} into the manifest.`);
  }
  if (found !== expected) {
    throw new DataError(`symbolMappingOf: ${path} has SHA-256 ${found}, expected ${expected}. Take the file that the manifest names, or state the digest of yours there.`);
  }
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new DataError(`symbolMappingOf: ${path} is not UTF-8, expected JSON Lines in UTF-8. Convert the file.`, { cause });
  }
  const set: FixedSet = { kind: "fixed", name: title, licence: stated?.licence ?? entry.licence, labels: entry.labels, instruction: entry.instruction, items: entry.read(text) };
  return symbolMapping(set, { id, title, paperItems });
}
