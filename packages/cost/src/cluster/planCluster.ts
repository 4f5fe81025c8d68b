import { ConfigError } from "@espalier/core";
import type { ClusterPlan, ClusterPlanRequest, ClusterRun, PlanGain } from "./clusterPlan.ts";
import { costedRun, incumbentRun, timeSizes } from "./costedRun.ts";
import type { Cluster } from "./device.ts";
import { clusterGoodput, defaultFailures } from "./goodput.ts";
import { growsInto, growthSizes } from "./growthSizes.ts";
import { type GrowthReading, growthReadings, searchSchedules, stagesOf, type TimedSchedule } from "./schedules.ts";
import { type ClusterModel, parameterBuckets } from "./shape.ts";
import { whyNoLayout } from "./whyNoLayout.ts";

interface PartPlan {
  best: Record<GrowthReading, ClusterRun>;
  scratch: ClusterRun;
  smaller: ClusterRun;
}

/** Parts of the budget and of the cluster whose plans make up the front. */
const PARTS = [0.15, 0.3, 0.5, 0.75, 1];
const CLUSTER_FRACTIONS = [1, 2, 4];
/** Halvings of the money when the cheapest plan for a loss is looked for: to 0.1 % of the budget. */
const HALVINGS = 10;

/** Plans on one cluster, each for a part of the money and time. Undefined when the target fits no layout there. */
function planner(request: ClusterPlanRequest, machine: Cluster, shapes: readonly ClusterModel[]) {
  const { target, globalBatchSize, budgetUsd, deadlineDays, usdPerGpuHour, dataTokens = Infinity, failures = defaultFailures, growthPauseSeconds = 600 } = request;
  const timed = timeSizes(shapes, machine, globalBatchSize, request);
  const last = timed.sizes.at(-1);
  if (last?.model !== target) return { layoutsTried: timed.layoutsTried };
  const goodput = clusterGoodput(machine.numGpus, failures);
  let evaluations = 0;
  const plan = (part: number): PartPlan => {
    const hours = part * Math.min(deadlineDays * 24, budgetUsd / (usdPerGpuHour * machine.numGpus));
    const seconds = (stages: number) => Math.max(0, hours * 3600 - (stages - 1) * growthPauseSeconds) * goodput.goodput;
    const run = (kind: ClusterRun["kind"], schedule: TimedSchedule) => {
      const stages = stagesOf(schedule, { seconds: seconds(schedule.chain.length), dataTokens });
      return costedRun(kind, stages.map(({ tokens }, i) => ({ size: schedule.chain[i]!, tokens })), machine, goodput, usdPerGpuHour, growthPauseSeconds, request.operatorLaws);
    };
    const found = searchSchedules(timed.sizes, { seconds: seconds(3), dataTokens }, request.operatorLaws);
    evaluations += found.evaluations;
    const scratch = run("scratch", { chain: [last], shares: [1] });
    const grown = (reading: GrowthReading) => (found.best[reading].chain.length > 0 ? run("growth", found.best[reading]) : scratch);
    let smaller = scratch;
    for (const size of timed.sizes.slice(0, -1)) {
      const single = run("smaller", { chain: [size], shares: [1] });
      if (single.loss.lossMatching.value < smaller.loss.lossMatching.value) smaller = single;
    }
    return { best: { naive: grown("naive"), lossMatching: grown("lossMatching"), transfer: grown("transfer") }, scratch, smaller };
  };
  /** The run of the smallest part of the budget that `chosen` finds good enough; null when the whole is not. */
  const cheapest = (chosen: (plan: PartPlan) => ClusterRun, enough: (run: ClusterRun) => boolean, whole: PartPlan): ClusterRun | null => {
    let best = chosen(whole);
    if (!enough(best)) return null;
    for (let i = 1, high = 1, low = 0; i <= HALVINGS; i++) {
      const middle = (low + high) / 2;
      const run = chosen(plan(middle));
      if (enough(run)) [best, high] = [run, middle];
      else low = middle;
    }
    return best;
  };
  return { layoutsTried: timed.layoutsTried, plan, cheapest, goodput, evaluations: () => evaluations };
}

/**
 * The growth schedules and layouts that a budget, a deadline, data and a cluster allow: every size gets its fastest layout
 * that fits the memory, every chain of up to three sizes, every split of the time and every operator that can make a growth is costed, and the winners by each
 * reading of growth stand beside the target from scratch, the best smaller model at the same cost, and the incumbent.
 *
 * @throws {ConfigError} when the target fits no layout, or there is nothing to spend
 */
export function planCluster(request: ClusterPlanRequest): ClusterPlan {
  const { target, cluster: c, globalBatchSize, budgetUsd, deadlineDays, usdPerGpuHour, dataTokens, targetLoss } = request;
  if (!(budgetUsd > 0 && deadlineDays > 0 && usdPerGpuHour > 0)) {
    throw new ConfigError(`planCluster: budgetUsd ${budgetUsd}, deadlineDays ${deadlineDays}, usdPerGpuHour ${usdPerGpuHour}: expected all above 0. Give dollars, days and a price.`);
  }
  if (dataTokens !== undefined && !(dataTokens > 0)) throw new ConfigError(`planCluster: dataTokens: is ${dataTokens}, expected more than 0. Give tokens, or leave it out.`);
  const shapes = [...(request.sizes ?? growthSizes(target)).filter((size) => growsInto(size, target)), target];
  const whole = planner(request, c, shapes);
  if (!whole.plan) {
    throw new ConfigError(`planCluster: target: does not fit ${c.numGpus} ${c.device.id}: ${whyNoLayout(target, c, globalBatchSize, { ...(request.layout ? { fixed: request.layout } : {}), ...(request.memory ? { memory: request.memory } : {}) })}`);
  }
  const main = whole.plan(1);
  const incumbent = request.incumbent ? incumbentRun(request.incumbent, request, whole.goodput) : undefined;
  const sameMoney = incumbent && (incumbent.usd.value < main.scratch.usd.value ? whole.plan(incumbent.usd.value / main.scratch.usd.value) : main);
  const gain = (reading: GrowthReading): PlanGain => {
    const loss = incumbent!.loss[reading].value;
    const equal = whole.cheapest((plan) => plan.best[reading], (run) => run.loss[reading].value <= loss, main);
    return { nats: loss - sameMoney!.best[reading].loss[reading].value, usdShareAtEqualLoss: equal ? equal.usd.value / incumbent!.usd.value : null };
  };
  const runs: ClusterRun[] = [];
  const machines = [];
  for (const fraction of CLUSTER_FRACTIONS) {
    const numGpus = c.numGpus / fraction;
    if (fraction > 1 && !Number.isInteger(numGpus / c.nodeSize)) continue;
    const machine = fraction === 1 ? whole : planner(request, { ...c, numGpus }, shapes);
    machines.push(machine);
    for (const part of machine.plan ? PARTS : []) {
      const { best, scratch, smaller } = fraction === 1 && part === 1 ? main : machine.plan!(part);
      runs.push(best.lossMatching, scratch, smaller);
    }
  }
  const cheapest =
    targetLoss === undefined
      ? undefined
      : whole.cheapest((plan) => [plan.best.lossMatching, plan.smaller].toSorted((a, b) => a.loss.lossMatching.value - b.loss.lossMatching.value)[0]!, (run) => run.loss.lossMatching.value <= targetLoss, main);
  return {
    best: main.best,
    rivals: { scratch: main.scratch, smaller: main.smaller, ...(incumbent ? { incumbent } : {}) },
    ...(incumbent ? { gains: { naive: gain("naive"), lossMatching: gain("lossMatching"), transfer: gain("transfer") } } : {}),
    ...(cheapest === undefined ? {} : { cheapest }),
    front: paretoFront(runs),
    goodput: whole.goodput,
    evaluations: machines.reduce((sum, machine) => sum + (machine.evaluations?.() ?? 0), 0),
    layoutsTried: machines.reduce((sum, machine) => sum + machine.layoutsTried, 0),
    warnings: warningsOf(request, main),
  };
}

/** Runs that no other run beats in dollars, days and loss at once, cheapest first; equal ones once. */
export function paretoFront(runs: readonly ClusterRun[]): ClusterRun[] {
  const SAME = 1.0001;
  const notWorse = (a: ClusterRun, b: ClusterRun) =>
    a.usd.value <= b.usd.value * SAME && a.days.value <= b.days.value * SAME && a.loss.lossMatching.value <= b.loss.lossMatching.value;
  const beats = (a: ClusterRun, b: ClusterRun, at: number, of: number) =>
    a !== b && notWorse(a, b) && (!notWorse(b, a) || at < of);
  return runs
    .filter((run, of) => !runs.some((other, at) => beats(other, run, at, of)))
    .toSorted((a, b) => a.usd.value - b.usd.value || a.days.value - b.days.value);
}

function warningsOf({ target, dataTokens }: ClusterPlanRequest, { best, smaller }: PartPlan): string[] {
  const warnings: string[] = [];
  const parameters = parameterBuckets(target).total;
  const billions = (parameters / 1e9).toFixed(1);
  if (parameters > 16.3e9) warnings.push(`static laws were fitted to models of 70 million to 16 billion parameters; the target has ${billions} billion`);
  if (parameters > 7e9) warnings.push("what operators keep and add was fitted at 0.4 to 7 billion parameters, g = 4 (stack, zero depth) and below 1e6 parameters (msg); here it is extrapolated");
  if (best.transfer.stages.some(({ grownBy }) => grownBy?.basis === "assumed")) warnings.push("the best schedule with transfer has a growth whose operators together nobody measured: its law value is assumed");
  if (smaller.loss.lossMatching.value <= best.lossMatching.loss.lossMatching.value) warnings.push("by loss matching the plain smaller model is at least as good as any growth to the target for the same money");
  const spread = growthReadings.map((reading) => best[reading].stages.map((stage) => stage.tokens / best[reading].stages.reduce((sum, s) => sum + s.tokens, 0)).at(-1)!);
  if (Math.max(...spread) > 2 * Math.min(...spread)) {
    warnings.push(`the laws disagree on when to grow: the last stage gets ${growthReadings.map((reading, i) => `${(100 * spread[i]!).toFixed(0)} % of the tokens by ${reading}`).join(", ")}`);
  }
  const tokens = best.lossMatching.stages.reduce((sum, stage) => sum + stage.tokens, 0);
  if (dataTokens !== undefined && tokens >= 0.999 * dataTokens) warnings.push(`the data ends before the money: ${(dataTokens / 1e9).toFixed(0)} billion tokens are used once`);
  if (growthReadings.some((reading) => best[reading].stages.some(({ layout }) => layout.precision === "fp8"))) warnings.push("FP8 is taken to cost no loss, which no law here says");
  return warnings;
}
