/** Which documents stand as examples before a question. */

import { ConfigError, random } from "@espalier/core";
import { pythonRandom } from "../python/random.ts";
import type { Doc, KnowledgeSet } from "./task.ts";

/** The seed of lm-evaluation-harness. */
export const DEFAULT_FEWSHOT_SEED = 1234;

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
  // A task that says 0 keeps to it, as in lm-evaluation-harness.
  const count = task.numFewshot === 0 ? 0 : (options.numFewshot ?? task.numFewshot ?? 0);
  const pool = task.fewshotDocs ?? set.fewshotDocs ?? docs;
  const shared = pool === docs;
  const leavesOut = task.leavesOutDocument ?? (shared || (task.harness === "v0.4" && task.scoredSplit === "validation"));
  const spare = Number(shared && leavesOut);
  if (count > pool.length - spare) {
    throw new ConfigError(`${task.name}: ${count} shots from ${pool.length} documents, expected no more than there are${spare ? " besides the evaluated one" : ""}. Give more documents, or fewer shots.`);
  }
  const contents = new Map<Doc, string>();
  const contentOf = (doc: Doc): string => {
    const content = contents.get(doc) ?? JSON.stringify(doc);
    contents.set(doc, content);
    return content;
  };
  /** Documents are compared as values, since a set may hold one twice. */
  const without = (shots: readonly Doc[], doc: Doc) => (leavesOut ? shots.filter((shot) => contentOf(shot) !== contentOf(doc)) : shots);
  const numbered = docs.map((doc, docId) => ({ docId, doc }));
  const generator = pythonRandom(task.harness === "v0.3" ? 42 : (options.seed ?? DEFAULT_FEWSHOT_SEED));
  const order = task.harness === "v0.3" ? generator.shuffle(numbered) : numbered;
  return order.slice(0, limit).map(({ docId, doc }) => ({ docId, doc, shots: count === 0 ? [] : shotsOf(docId, doc) }));

  function shotsOf(docId: number, doc: Doc): readonly Doc[] {
    if (task.sampler === "first_n") return without(pool, doc).slice(0, count);
    if (options.draws === "document") {
      const draws = random(options.seed ?? DEFAULT_FEWSHOT_SEED, "evals/fewshot", task.name, docId).sequence();
      const shots = draws.shuffle(pool.map((_, i) => i)).slice(0, count + 1).map((i) => pool[i]);
      return without(shots, doc).slice(0, count);
    }
    // A shot equal to the document is dropped, so one more than needed is drawn.
    if (!leavesOut) return generator.sample(pool, count);
    return without(generator.sample(pool, Math.min(pool.length, count + 1)), doc).slice(0, count);
  }
}
