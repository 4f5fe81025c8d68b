import { createHash } from "node:crypto";
import { levels, type Task } from "../tasks/task.ts";

/** SHA-256 over the keys, prompts, targets and choices of items 0 to 9 of each level under seed 1. */
export function itemDigest(task: Task): string {
  const hash = createHash("sha256");
  for (const level of levels) {
    for (let i = 0; i < 10; i++) {
      const { key, prompt, target, choices } = task.generate(level, 1, i);
      hash.update(`${JSON.stringify([key, prompt, target, choices])}\n`);
    }
  }
  return hash.digest("hex");
}
