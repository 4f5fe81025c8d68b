import { ConfigError, random } from "@espalier/core";
import type { Difficulty, Task } from "./task.ts";

export interface InContextOptions {
  /** Families to draw from, e.g. all but the one that is left out. */
  families: readonly Task[];
  seed: string | number;
  count: number;
  /** Drawn anew for each document. Default `["tiny"]`. */
  difficulties?: readonly Difficulty[];
  /** Index of the first document, for producing a long stream in parts. Default 0. */
  first?: number;
}

export interface InContextDocument {
  /** Task id. */
  family: string;
  /** Prompt, one space, target, line end. */
  text: string;
}

/**
 * Training documents of the same families as the tests: document k depends on (seed, k) alone. Families take turns.
 *
 * No document contains an example of any test set, because every example belongs to either split by its content (see
 * `task.ts`). Each document has a seed of its own, so its world has its own names, places and objects.
 * Duplicates are possible among training documents where a family is small.
 *
 * @throws {ConfigError} without families
 */
export function inContextDocuments({ families, seed, count, difficulties = ["tiny"], first = 0 }: InContextOptions): InContextDocument[] {
  if (families.length === 0 || difficulties.length === 0) {
    throw new ConfigError("inContextDocuments: families or difficulties is empty, expected at least one of each.");
  }
  return Array.from({ length: count }, (_, offset) => {
    const k = first + offset;
    const task = families[k % families.length];
    const stream = random(seed, "evals/inContextDocuments");
    const difficulty = difficulties[stream.integer(k, difficulties.length)];
    const { prompt, target } = task.generate(difficulty, `train/${seed}/${k}`, 0);
    return { family: task.id, text: `${prompt} ${target}\n` };
  });
}
