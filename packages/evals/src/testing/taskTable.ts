import { itemSet, promptLengths } from "../tasks/itemSet.ts";
import { tasks } from "../tasks/table.ts";
import { levels } from "../tasks/task.ts";

const percent = (share: number) => (share === 0 ? "0" : `${Math.round(1000 * share) / 10}`);

/** The README's table of tasks: median code points of prompt and target over 20 items of seed 1, and chance in per cent. */
export function taskTable(): string {
  const rows = tasks.map((task) => {
    const cells = levels.map((level) => {
      const { median } = promptLengths(itemSet(task, { difficulty: level, seed: 1, items: 20 }));
      const { exactMatch, likelihood } = task.chance(level);
      return `${median} (${percent(exactMatch)} / ${percent(likelihood)})`;
    });
    return `| \`${task.id}\` | ${task.paperItems} | ${cells.join(" | ")} |`;
  });
  return [`| task | items | ${levels.join(" | ")} |`, `|---|--:|${levels.map(() => "--:|").join("")}`, ...rows].join("\n");
}
