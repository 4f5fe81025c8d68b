import { basename, join, relative, sep } from "node:path";
import { atomicWrite } from "@espalier/core/node";
import type { Context } from "../command.ts";
import { isAddress, makeDirectory } from "../files.ts";
import { tableLines } from "../terminal/table.ts";
import { type EvalOptions, type EvaluatedPlace, evaluateOne } from "./evaluateOne.ts";
import { writeSamplesPage } from "./files.ts";
import type { Selection } from "./select.ts";
import { agreements, stageCheckpoints, stageRows } from "./stages.ts";
import { stagesPicture } from "./stagesPicture.ts";
import { percent } from "./tables.ts";
import { UsageError } from "../usage.ts";

/** Every stage of a run in one table and one picture, and how far each growth changed the answers. */
export async function evaluateStages(
  { path: run, name }: EvaluatedPlace,
  selection: Selection,
  options: EvalOptions,
  context: Context,
  directory: string | undefined,
): Promise<void> {
  if (isAddress(run))
    throw new UsageError(
      `${run}: --stages needs the directory of a run, found an address. Name the directory of \`espalier train --out\`.`,
    );
  const checkpoints = stageCheckpoints(run);
  const stages = [];
  for (const checkpoint of checkpoints) {
    const place = { path: checkpoint.path, name: [name, ...relative(run, checkpoint.path).split(sep)].join("/") };
    const below = directory === undefined ? undefined : join(directory, checkpoint.name);
    if (below !== undefined) await makeDirectory(below);
    const named: Context = { ...context, output: { ...context.output, progress: (event) => context.output.progress({ ...event, detail: `${checkpoint.name}: ${event.detail ?? ""}` }) } };
    stages.push({ checkpoint, ...(await evaluateOne(place, selection, options, named, below)) });
  }
  const ends = stages.filter(({ checkpoint }) => !checkpoint.grown);
  const names = ends.map(({ checkpoint }, i) => `stage ${i + 1} (step ${checkpoint.step})`);
  const rows = stageRows(ends.map(({ evaluated }) => evaluated));
  const cell = ({ value, interval }: (typeof rows)[number]["cells"][number]) =>
    `${value <= 1 ? percent(value) : value.toPrecision(4)}${interval ? ` (${(100 * interval[0]).toFixed(0)} to ${(100 * interval[1]).toFixed(0)})` : ""}`;
  const { output } = context;
  output.verbatim(tableLines(
    ["task", "metric", ...names, "chance"],
    rows.map(({ task, metric, chance, cells }) => [
      task,
      metric,
      ...cells.map(cell),
      chance === null ? "" : percent(chance),
    ]),
  ));
  const agreed = agreements(stages);
  for (const { step, same, items, share, meanLogprobChange, largestLogprobChange, impossibleToOne } of agreed) {
    const change =
      meanLogprobChange === null
        ? ""
        : `; log-likelihoods changed by ${meanLogprobChange.toPrecision(2)} nats on average, ${largestLogprobChange!.toPrecision(2)} at most`;
    const impossible = impossibleToOne === 0 ? "" : `; ${impossibleToOne} continuations are impossible (log-likelihood -Infinity) before or after it alone`;
    output.line(`Growth at step ${step}: ${same} of ${items} answers stay (${percent(share)})${change}${impossible}.`);
  }
  output.result("stages", {
    stages: ends.map(({ checkpoint, evaluated }, i) => ({ name: names[i], step: checkpoint.step, evaluated })),
    rows,
    agreements: agreed,
  });
  if (directory === undefined) return;
  await atomicWrite(
    join(directory, "stages.json"),
    `${JSON.stringify({ stages: names, rows, agreements: agreed }, undefined, 2)}\n`,
  );
  await atomicWrite(join(directory, "stages.svg"), stagesPicture(rows, names, `${basename(run)}: every stage`));
  await writeSamplesPage(directory);
  output.line(`\nSamples: ${join(directory, "samples.html")}. Table and picture: ${join(directory, "stages.json")}, ${join(directory, "stages.svg")}`);
}
