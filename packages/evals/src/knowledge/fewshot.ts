/** Which documents stand as examples before a question. */

import { ConfigError, random } from "@espalier/core";
import { pythonRandom } from "../python/random.ts";
import type { Doc, KnowledgeSet } from "./task.ts";

export interface FewshotOptions {
  /** Default: the task's own number, or 0. */
  numFewshot?: number;
  /** Default 1234, that of lm-evaluation-harness. */
  seed?: number;
  /**
   * `harness`: one generator for all documents, so that a document's shots depend on those before it, as in
   * lm-evaluation-harness. `document`: from (task, document, seed) alone, so that a part of a set is scored with the
   * prompts of the whole. Default `harness`.
   */
  draws?: "harness" | "document";
}

/** A document in the order it is asked, with its place in the file and its shots. */
export interface Asked {
  docId: number;
  doc: Doc;
  shots: readonly Doc[];
}

/**
 * Documents in the order they are asked, with their shots. `limit` keeps the first that many.
 *
 * @throws {ConfigError} when there are fewer documents than shots
 */
export function askedDocuments(set: KnowledgeSet, options: FewshotOptions = {}, limit = set.docs.length): Asked[] {
  const { task, docs } = set;
  const count = options.numFewshot ?? task.numFewshot ?? 0;
  const pool = task.fewshotDocs ?? set.fewshotDocs ?? docs;
  const shared = pool === docs;
  if (count > pool.length - (shared ? 1 : 0)) {
    throw new ConfigError(`${task.name}: ${count} shots from ${pool.length} documents, expected no more than there are. Give more documents, or fewer shots.`);
  }
  const numbered = docs.map((doc, docId) => ({ docId, doc }));
  const generator = pythonRandom(task.harness === "v0.3" ? 42 : (options.seed ?? 1234));
  const order = task.harness === "v0.3" ? generator.shuffle(numbered) : numbered;
  return order.slice(0, limit).map(({ docId, doc }) => ({ docId, doc, shots: shotsOf(docId, doc) }));

  function shotsOf(docId: number, doc: Doc): readonly Doc[] {
    if (count === 0) return [];
    if (task.sampler === "first_n") return pool.slice(0, count);
    if (options.draws === "document") {
      const others = pool.filter((shot) => !shared || !sameDoc(shot, doc));
      return random(options.seed ?? 1234, "evals/fewshot", task.name, docId).sequence().shuffle(others).slice(0, count);
    }
    // A shot equal to the document is dropped, and so one more than needed is drawn; lm-evaluation-harness draws it
    // for every task without a test split.
    if (!shared && task.scoredSplit !== "validation") return generator.sample(pool, count);
    return generator.sample(pool, count + 1).filter((shot) => !sameDoc(shot, doc)).slice(0, count);
  }
}

/** Documents are compared as values, since a set may hold one twice. */
const sameDoc = (a: Doc, b: Doc): boolean => a === b || JSON.stringify(a) === JSON.stringify(b);

