import { ConfigError, random } from "@espalier/core";
import type { Draw } from "./task.ts";

/**
 * Which item of a set from a file is asked: a seeded order in which every item comes once before any returns.
 *
 * @throws {ConfigError} for a training seed: sets from files are tests
 */
export function fixedIndex(draw: Draw, name: string, numItems: number): number {
  if (draw.split === "train") {
    throw new ConfigError(`${name} is a test set, but the seed is ${draw.seed}. Train on procedural families only.`);
  }
  const order = random(draw.seed, "evals/fixedSet", name).sequence().shuffle(Array.from({ length: numItems }, (_, k) => k));
  return order[draw.index % numItems];
}
