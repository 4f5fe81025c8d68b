/**
 * How many complete candidates one core evaluates in a second, without any of the planner's shortcuts: each is a schedule
 * of three stages in a layout of its own, and costs one step by parts, the peak memory, days, dollars and the three
 * readings of the loss with the best operator of each growth, all computed anew.
 */
import { preset } from "@espalier/spec/model";
import { cluster, clusterLayout, clusterModel, epochChinchilla, flm101b, growthStages } from "../src/index.ts";
import { fittedConstants } from "../src/cluster/fitted.ts";
import { bestOperators, hopOperators, undominated } from "../src/cluster/hopOperators.ts";
import { layoutProblems } from "../src/cluster/layout.ts";
import { peakMemory } from "../src/cluster/memory.ts";
import { growthReadings, lossOfReading } from "../src/cluster/schedules.ts";
import { stepSeconds, sumParts } from "../src/cluster/step.ts";

const models = ["flm-16b", "flm-51b", "flm-101b"].map((name) => clusterModel(preset(name).config));
const model = models[2]!;
const machine = cluster("A800-SXM-80GB", 192);

/** Layouts that divide, of many shapes: the mix that a search meets. */
function layouts() {
  const found = [];
  for (const tensor of [1, 2, 4, 8]) {
    for (const pipeline of [1, 2, 4, 8, 16]) {
      for (const microBatchSize of [1, 2, 4]) {
        for (const recompute of ["none", "full"] as const) {
          for (const sharding of ["optimizer", "full"] as const) {
            const l = clusterLayout({ tensor, pipeline, data: 192 / (tensor * pipeline), microBatchSize, recompute, sharding, globalBatchSize: 2304 });
            if (layoutProblems(model, l, machine).length === 0) found.push(l);
          }
        }
      }
    }
  }
  return found;
}

/** Complete evaluations a second over about `seconds` of one core. */
export function evaluationsPerSecond(seconds: number): number {
  const candidates = layouts();
  const stages = growthStages(flm101b);
  const choices = models.slice(1).map((to, i) => undominated(hopOperators(models[i]!, to)));
  let kept = 0;
  const evaluate = (i: number) => {
    const l = candidates[i % candidates.length]!;
    const step = sumParts(stepSeconds(model, l, machine, fittedConstants));
    const fits = peakMemory(model, l) <= machine.device.memoryGb * 2 ** 30;
    const schedule = stages.map((stage, at) => ({ ...stage, tokens: stage.tokens * (1 + ((i * 7 + at) % 13) / 100) }));
    const tokens = schedule.reduce((sum, stage) => sum + stage.tokens, 0);
    const days = (step * tokens) / (l.globalBatchSize * model.seqLen) / 86400;
    const usd = days * 24 * machine.numGpus * 1.0075;
    let loss = 0;
    for (const reading of growthReadings) loss += lossOfReading(reading, schedule, epochChinchilla, reading === "transfer" ? bestOperators(schedule, choices) : undefined);
    // Kept, so that nothing above can be left out by the compiler.
    kept += fits ? usd * loss : days;
  };
  for (let i = 0; i < 20_000; i++) evaluate(i);
  let count = 0;
  const started = performance.now();
  while (performance.now() - started < 1000 * seconds) {
    for (let i = 0; i < 1000; i++) evaluate(count + i);
    count += 1000;
  }
  const rate = count / ((performance.now() - started) / 1000);
  if (!Number.isFinite(kept)) throw new Error(`evaluationsPerSecond: the results sum to ${kept}, expected a number.`);
  return rate;
}
