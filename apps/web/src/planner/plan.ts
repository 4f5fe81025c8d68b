import { ConfigError } from "@espalier/core";
import {
  type Cluster, cluster, clusterGoodput, type ClusterModel, type ClusterRun, clusterPrices, costedRun, defaultBatchSize, findClusterModel, flm101b, type Goodput, growsInto, growthSizes, growthStages,
  searchSchedules, stagesOf, type TimedSchedule, type TimedSize, timeSizes, whyNoLayout,
} from "@espalier/cost";

/** What the controls set. */
export interface Request {
  target: string;
  gpu: string;
  gpus: number;
  usdPerGpuHour: number;
  budgetUsd: number;
  deadlineDays: number;
}

/** FLM-101B's own constraints: 192 A800 for 21.54 days and 100,000 dollars. */
export const flmRequest: Request = { target: "flm-101b", gpu: "A800-SXM-80GB", gpus: 192, usdPerGpuHour: 1, budgetUsd: 100_000, deadlineDays: 21.54 };

export const PAUSE_SECONDS = 600;

/** A cluster with every size that can grow into the target, timed in its fastest layout. */
export interface Timed {
  machine: Cluster;
  target: ClusterModel;
  sizes: readonly TimedSize[];
  /** The sizes of the paper's three stages, when the target is FLM-101B. */
  paper?: readonly TimedSize[];
  layoutsTried: number;
  goodput: Goodput;
}

/** @throws {ConfigError} when a name is unknown or the target fits no layout */
export function timeAll({ target: name, gpu, gpus }: Pick<Request, "target" | "gpu" | "gpus">): Timed {
  const target = findClusterModel(name).model;
  const machine = cluster(gpu, gpus);
  const batch = defaultBatchSize(target, gpus);
  const shapes = growthSizes(target).filter((size) => growsInto(size, target));
  const stages = name === "flm-101b" ? ["flm-16b", "flm-51b"].map((stage) => findClusterModel(stage).model) : [];
  const { sizes, layoutsTried } = timeSizes([...shapes, ...stages, target], machine, batch);
  const last = sizes.at(-1);
  if (last?.model !== target) throw new ConfigError(`${name} fits no layout of ${gpus} ${gpu}: ${whyNoLayout(target, machine, batch)}`);
  const timedStages = sizes.filter((size) => stages.includes(size.model));
  const ordered = [...sizes.filter((size) => size !== last).toSorted((a, b) => a.parameters - b.parameters), last];
  return { machine, target, sizes: ordered, layoutsTried, goodput: clusterGoodput(gpus), ...(timedStages.length === 2 ? { paper: [...timedStages, last] } : {}) };
}

/** Useful seconds that money and deadline leave to a schedule of so many stages. */
export function trainingSeconds({ machine, goodput }: Timed, { usdPerGpuHour, budgetUsd, deadlineDays }: Request, numStages: number): number {
  const hours = Math.min(deadlineDays * 24, budgetUsd / (usdPerGpuHour * machine.numGpus));
  return Math.max(0, hours * 3600 - (numStages - 1) * PAUSE_SECONDS) * goodput.goodput;
}

/** Days, dollars and losses of a schedule that spends all there is. */
export function runOf(kind: ClusterRun["kind"], schedule: TimedSchedule, timed: Timed, request: Request): ClusterRun {
  const stages = stagesOf(schedule, { seconds: trainingSeconds(timed, request, schedule.chain.length), dataTokens: Infinity });
  return costedRun(kind, stages.map(({ tokens }, i) => ({ size: schedule.chain[i]!, tokens })), timed.machine, timed.goodput, request.usdPerGpuHour, PAUSE_SECONDS);
}

export interface Proposals {
  best: ReturnType<typeof searchSchedules>["best"];
  evaluations: number;
  scratch: ClusterRun;
  smaller: ClusterRun;
  /** FLM-101B's split of tokens for the same money. */
  paper?: ClusterRun;
}

/** The best schedules by each reading, and the rivals at the same cost. */
export function propose(timed: Timed, request: Request): Proposals {
  const { best, evaluations } = searchSchedules(timed.sizes, { seconds: trainingSeconds(timed, request, 3), dataTokens: Infinity });
  const last = timed.sizes.at(-1)!;
  const scratch = runOf("scratch", { chain: [last], shares: [1] }, timed, request);
  const singles = timed.sizes.slice(0, -1).map((size) => runOf("smaller", { chain: [size], shares: [1] }, timed, request));
  const smaller = singles.reduce((a, b) => (b.loss.lossMatching.value < a.loss.lossMatching.value ? b : a), scratch);
  return { best, evaluations, scratch, smaller, ...(timed.paper ? { paper: runOf("incumbent", paperSplit(timed.paper), timed, request) } : {}) };
}

/** Shares of time that train the paper's tokens in the paper's proportions. */
function paperSplit(chain: readonly TimedSize[]): TimedSchedule {
  const seconds = growthStages(flm101b).map(({ tokens }, i) => tokens * chain[i]!.secondsPerToken);
  const total = seconds.reduce((a, b) => a + b, 0);
  return { chain, shares: seconds.map((s) => s / total) };
}

/** The middle of the catalogue's prices of a device, or a guess of two dollars where it has none. */
export function usualPrice(gpu: string): number {
  const prices = clusterPrices(gpu);
  return prices[(prices.length - 1) >> 1]?.usdPerGpuHour ?? 2;
}
