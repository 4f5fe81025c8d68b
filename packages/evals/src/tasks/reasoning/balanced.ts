import { ConfigError } from "@espalier/core";
import type { Draw } from "../task.ts";

const PATIENCE = 2_000;

/**
 * Draws values until one has the answer that was picked beforehand, so that every answer is equally frequent and always
 * naming the most frequent one earns no more than chance. An answer that does not come up is picked anew.
 */
export function balanced<T, A>(draw: Draw, answers: readonly A[], make: () => T, answerOf: (value: T) => A): T {
  for (let round = 0; round < 20; round++) {
    const wanted = draw.pick(answers);
    for (let attempt = 0; attempt < PATIENCE; attempt++) {
      const value = make();
      if (answerOf(value) === wanted) return value;
    }
  }
  throw new ConfigError(`balanced: none of ${answers.join(", ")} came up. Lower the difficulty.`);
}

/** All whole numbers of [low, high]. */
export const range = (low: number, high: number): number[] => Array.from({ length: high - low + 1 }, (_, k) => low + k);
