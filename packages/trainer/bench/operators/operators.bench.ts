/**
 * Every operator from one base: what the loss is right after the growth, 16 steps on and at the end, beside the target
 * trained from scratch on the same FLOPs.
 *
 *     pnpm bench:operators --data DIR [--out runs] [--steps 400] [--seeds 3] [--only "depth 4 -> 6"]
 *
 * DIR was written by `espalier tokenize` (a reproduction's `corpus` will do). The rate is chosen for the control on the
 * first seed, from three and as many more as bracket it; grown runs use it as it is. Runs fork one base a seed, continue
 * after a kill, and are not repeated. Prints a table in Markdown and writes `operators.json`; the figures do not depend on
 * the machine's speed.
 */
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { cpuExecutor } from "@espalier/kernels";
import type { TrainPlan } from "@espalier/spec/plan";
import { openCorpus } from "@espalier/tokenizer/node";
import { corpusData } from "../../src/data.ts";
import { readEvents, readMetrics } from "../../src/runDirectory.ts";
import { trainInProcess } from "../../src/trainInProcess.ts";
import { validateCheckpoint } from "../../src/validation.ts";
import { grownPlan, scratchPlan, studies, type Study, type Way } from "./studies.ts";
import { rankCorrelation, table, type WayResult } from "./table.ts";

const { values: options } = parseArgs({
  options: {
    data: { type: "string" },
    out: { type: "string", default: "operator-runs" },
    steps: { type: "string", default: "400" },
    seeds: { type: "string", default: "3" },
    only: { type: "string" },
  },
});
if (!options.data) throw new Error("--data is missing, expected a directory written by `espalier tokenize`. Name it.");
const { data: corpusDirectory, out } = options;
const length = { baseSteps: Number(options.steps), grownSteps: Number(options.steps) };
const seeds = Array.from({ length: Number(options.seeds) }, (_, seed) => seed);
const RATES = [3e-3, 6e-3, 1.2e-2];
const FINAL_SEQUENCES = 512;
const LAG_STEPS = 16;

const corpus = await openCorpus(corpusDirectory);
const data = corpusData(corpus);
const executor = cpuExecutor({ numThreads: 1 });

interface Finished {
  loss: number;
  lossAtGrowth: number;
  lossSoonAfter: number;
}

async function finish(plan: TrainPlan, directory: string, forkOf?: string): Promise<Finished> {
  const saved = join(directory, "finished.json");
  if (existsSync(saved)) return JSON.parse(await readFile(saved, "utf8")) as Finished;
  await mkdir(directory, { recursive: true });
  const { checkpoint } = await trainInProcess({ plan, corpus: corpusDirectory, directory, ...(forkOf && { fork: { run: forkOf } }) });
  const { loss } = await validateCheckpoint(checkpoint, { data, executor, maxSequences: FINAL_SEQUENCES });
  const growth = (await readEvents(directory)).find((event) => event.kind === "growth");
  const soon = growth && (await readMetrics(directory)).find(({ step, validationLoss }) => step >= growth.step + LAG_STEPS && validationLoss !== undefined);
  const finished = { loss, lossAtGrowth: growth?.lossAfter ?? NaN, lossSoonAfter: soon?.validationLoss ?? NaN };
  await writeFile(saved, JSON.stringify(finished));
  console.error(`${plan.name}: ${loss.toFixed(4)}`);
  return finished;
}

/** Tasks in order, as many at once as there are cores. */
async function inParallel<T>(tasks: readonly (() => Promise<T>)[]): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  const worker = async () => {
    while (next < tasks.length) {
      const i = next++;
      results[i] = await tasks[i]!();
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  return results;
}

const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

/** The rate of the lowest loss, bracketed: a control with a rate at the end of the grid would flatter growth. */
async function bestRate(run: (rate: number) => Promise<Finished>): Promise<number> {
  const rates = [...RATES];
  for (;;) {
    const tried = await inParallel(rates.map((rate) => () => run(rate)));
    const best = tried.reduce((least, { loss }, i) => (loss < tried[least]!.loss ? i : least), 0);
    if (best > 0 && best < rates.length - 1) return rates[best]!;
    if (best === 0) rates.unshift(rates[0]! / 2);
    else rates.push(2 * rates.at(-1)!);
  }
}

async function runStudy(study: Study) {
  const root = join(out, study.name.replaceAll(/[^a-z0-9]+/g, "-"));
  const scratch = (seed: number, rate: number) => finish(scratchPlan(study, seed, rate, length), join(root, `scratch-${rate}`, String(seed)));
  const rate = await bestRate((candidate) => scratch(seeds[0]!, candidate));
  const directory = (way: Way, seed: number) => join(root, way.name.replaceAll(/[^A-Za-z0-9]+/g, "-"), String(seed));
  const grow = (way: Way, seed: number) => () =>
    finish(grownPlan(study, way, seed, rate, length), directory(way, seed), way === study.ways[0] ? undefined : directory(study.ways[0]!, seed));
  // The first way trains the bases that the others fork.
  await inParallel([...seeds.map((seed) => grow(study.ways[0]!, seed)), ...seeds.map((seed) => () => scratch(seed, rate))]);
  await inParallel(study.ways.flatMap((way) => seeds.map((seed) => grow(way, seed))));

  const controls = await Promise.all(seeds.map((seed) => scratch(seed, rate)));
  const ways: WayResult[] = [];
  for (const way of study.ways) {
    const runs = await Promise.all(seeds.map((seed) => grow(way, seed)()));
    ways.push({
      name: way.name,
      lossAtGrowth: mean(runs.map((run) => run.lossAtGrowth)),
      lossSoonAfter: mean(runs.map((run) => run.lossSoonAfter)),
      loss: mean(runs.map((run) => run.loss)),
      differences: runs.map((run, i) => run.loss - controls[i]!.loss),
    });
  }
  const before = await Promise.all(
    seeds.map(async (seed) => (await readEvents(directory(study.ways[0]!, seed))).find((event) => event.kind === "growth")?.lossBefore ?? NaN),
  );
  return { study: study.name, rate, baseLoss: mean(before), scratch: mean(controls.map(({ loss }) => loss)), ways, length, seeds: seeds.length };
}

const results = [];
for (const study of studies(corpus.tokenizer.vocabSize)) {
  if (options.only && study.name !== options.only) continue;
  const result = await runStudy(study);
  results.push(result);
  const { ways } = result;
  const final = ways.map(({ loss }) => loss);
  console.log(`\n## ${result.study}\n\n${table(result)}\n`);
  console.log(
    `Rank correlation with the final loss: loss at the growth ${rankCorrelation(ways.map(({ lossAtGrowth }) => lossAtGrowth), final).toFixed(2)}, ` +
      `${LAG_STEPS} steps on ${rankCorrelation(ways.map(({ lossSoonAfter }) => lossSoonAfter), final).toFixed(2)}.`,
  );
}
await writeFile(join(out, "operators.json"), `${JSON.stringify({ corpus: corpus.manifest.textDigest, results }, null, 1)}\n`);
