/**
 * Items a second of every generator, with its targets checked by the independent solvers.
 * Usage: node --conditions=@espalier/source bench/generators.bench.ts [--json]
 */

import { parseArgs } from "node:util";
import { tasks } from "../src/tasks/table.ts";
import { levels } from "../src/tasks/task.ts";
import { solvers } from "../src/testing/solvers.ts";

const { values } = parseArgs({ options: { json: { type: "boolean", default: false }, items: { type: "string", default: "1000" } } });

const rows = tasks.flatMap((task) =>
  levels.map((level) => {
    const items = Math.ceil(Number(values.items) / (level === "large" ? 20 : level === "paper" ? 4 : 1));
    for (let i = 0; i < 5; i++) task.generate(level, "warm", i);
    const started = performance.now();
    const made = Array.from({ length: items }, (_, i) => task.generate(level, "bench", i));
    const seconds = (performance.now() - started) / 1000;
    const wrong = made.filter(({ prompt, target }) => solvers[task.id](prompt) !== target).length;
    return { task: task.id, level, items, itemsPerSecond: Math.round(items / seconds), wrong };
  }),
);

if (values.json) console.log(JSON.stringify(rows));
else {
  for (const task of tasks) {
    const cells = rows.filter((row) => row.task === task.id).map(({ itemsPerSecond, wrong }) => `${itemsPerSecond}${wrong > 0 ? ` (${wrong} wrong)` : ""}`.padStart(9));
    console.log(`${task.id.padEnd(22)}${cells.join("")}`);
  }
  const checked = rows.reduce((sum, { items }) => sum + items, 0);
  console.log(`items a second at ${levels.join(", ")}; ${checked} targets checked, ${rows.reduce((sum, { wrong }) => sum + wrong, 0)} wrong`);
}
if (rows.some(({ wrong }) => wrong > 0)) process.exitCode = 1;
