import { ConfigError } from "@espalier/core";
import { canary, type Difficulty, difficultyName, type Item, namespacedSeed, type Task } from "./task.ts";

export interface ItemSetOptions {
  difficulty: Difficulty;
  /** `train/...` or a test seed. */
  seed: string | number;
  /** Number of items. */
  items: number;
}

/**
 * The first `items` items of a seed whose queries are new: indices 0, 1, 2, ... with duplicates passed over. The set of
 * n items is the beginning of the set of n + 1.
 *
 * @throws {ConfigError} when the difficulty does not have that many distinct items
 */
export function itemSet(task: Task, { difficulty, seed, items }: ItemSetOptions): Item[] {
  const found: Item[] = [];
  const seen = new Set<string>();
  const patience = 1000; // draws without anything new before the space counts as exhausted
  for (let i = 0, last = 0; found.length < items; i++) {
    if (i - last > patience) {
      throw new ConfigError(
        `itemSet: ${task.id} at ${difficultyName(difficulty)} has about ${found.length} distinct items for seed ` +
          `${namespacedSeed(seed).seed}, ${items} were asked. Ask for fewer items or raise the difficulty.`,
      );
    }
    const item = task.generate(difficulty, seed, i);
    if (seen.has(item.identity)) continue;
    seen.add(item.identity);
    found.push(item);
    last = i;
  }
  return found;
}

/** JSON Lines of an item set. The first line carries the canary that keeps the file out of training data. */
export function exportItems(items: readonly Item[]): string {
  return [{ canary }, ...items].map((row) => `${JSON.stringify(row)}\n`).join("");
}

/** Lengths of the prompts of a set: in characters (code points), or in whatever `lengthOf` counts, e.g. tokens. */
export function promptLengths(items: readonly Item[], lengthOf: (text: string) => number = (text) => [...text].length): { min: number; median: number; max: number } {
  const sorted = items.map(({ prompt, target }) => lengthOf(`${prompt} ${target}`)).sort((a, b) => a - b);
  return { min: sorted[0], median: sorted[Math.floor((sorted.length - 1) / 2)], max: sorted.at(-1)! };
}
