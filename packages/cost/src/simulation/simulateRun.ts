import { ConfigError, random } from "@espalier/core";
import { checkpointInterval, defaultFailures, expectFailures, type FailureModel } from "../cluster/goodput.ts";
import type { Range } from "../cluster/money.ts";
import type { SparePool } from "./spares.ts";

/** Devices that slow the whole job down. */
export interface StragglerModel {
  /** Hours that one device runs until it becomes slow. */
  meanHours: number;
  /** Step time over the usual while any device is slow. */
  slowdown: number;
  /** Seconds until it is noticed: then a checkpoint, a spare takes its place, a restart. Without, only a failure's restart removes it. */
  detectSeconds?: number;
}

export interface SimulationRequest {
  numGpus: number;
  /** Seconds of training without any trouble. */
  workSeconds: number;
  failures?: FailureModel;
  stragglers?: StragglerModel;
  /** Without a pool a replacement is always at hand. */
  spares?: SparePool;
  /** Points of the work, in seconds, at which the model grows, and the pause of each; a growth ends with a checkpoint. */
  growths?: readonly { atSeconds: number; pauseSeconds: number }[];
  seed: number;
}

/** Where the seconds of a run went. */
export interface SimulationParts {
  work: number;
  checkpoints: number;
  /** Work, waiting for stragglers, checkpoints and pauses that a failure made void. */
  lost: number;
  restarts: number;
  /** Until a broken node came back, with no spare left. */
  waiting: number;
  stragglers: number;
  growth: number;
}

export interface SimulationEvent {
  kind: "failure" | "slow" | "swap" | "growth" | "no spare";
  seconds: number;
}

export interface Simulation {
  seconds: number;
  /** Useful work over seconds. */
  goodput: number;
  /** They sum to `seconds`. */
  parts: SimulationParts;
  numFailures: number;
  /** In order of time; checkpoints are not among them. */
  events: readonly SimulationEvent[];
}

/** Times at which broken nodes come back, earliest first. */
class Repairs {
  readonly #back: number[] = [];

  add(at: number): void {
    let i = this.#back.length;
    while (i > 0 && this.#back[i - 1]! > at) i--;
    this.#back.splice(i, 0, at);
  }

  /** Nodes still away at a time. */
  away(now: number): number {
    while (this.#back.length > 0 && this.#back[0]! <= now) this.#back.shift();
    return this.#back.length;
  }

  get next(): number {
    return this.#back[0] ?? Infinity;
  }
}

/**
 * One run, event by event: work in segments that end in a checkpoint, at Daly's interval; failures at exponential times
 * that throw back to the last checkpoint (also while restarting, writing or pausing); a broken node goes to repair and a
 * spare takes its place, or the job waits for one; slow devices; pauses for growth. Seeded; a month of 100,000 devices
 * takes milliseconds. Without stragglers and growth its mean is the closed form of `clusterGoodput` times what
 * `waitingShare` leaves.
 *
 * @throws {ConfigError} when a number cannot be meant, or the job fails so often that it hardly gets anywhere
 */
export function simulateRun(request: SimulationRequest): Simulation {
  const { numGpus, workSeconds, failures = defaultFailures, stragglers, spares, growths = [], seed } = request;
  expectRequest(request);
  const { checkpointSeconds, restartSeconds } = failures;
  const mtbf = (failures.mtbfHours * 3600) / numGpus;
  const interval = checkpointInterval(checkpointSeconds, mtbf);
  const draws = random(seed, "simulateRun").sequence();
  const wait = (mean: number) => (mean === Infinity ? Infinity : -mean * Math.log(1 - draws.uniform()));
  const slowMean = stragglers ? (stragglers.meanHours * 3600) / numGpus : Infinity;
  const slowdown = stragglers?.slowdown ?? 1;
  const parts: SimulationParts = { work: 0, checkpoints: 0, lost: 0, restarts: 0, waiting: 0, stragglers: 0, growth: 0 };
  const events: SimulationEvent[] = [];
  const repairs = new Repairs();
  const planned = growths.filter(({ atSeconds }) => atSeconds < workSeconds).toSorted((a, b) => a.atSeconds - b.atSeconds);

  let now = 0;
  let failureAt = wait(mtbf);
  let slowAt = wait(slowMean);
  /** When a slow device is swapped; infinite while none is slow or none is noticed. */
  let swapAt = Infinity;
  let slow = false;
  let done = 0;
  let nextGrowth = 0;
  let numFailures = 0;

  const event = (kind: SimulationEvent["kind"]) => events.push({ kind, seconds: now });
  const healthy = () => {
    slow = false;
    swapAt = Infinity;
    slowAt = now + wait(slowMean);
  };
  /** A node leaves; when no spare is there the job stands still until one is back. */
  const replaceNode = () => {
    if (!spares) return;
    if (repairs.away(now) >= spares.spareNodes) {
      event("no spare");
      const own = now + wait(spares.repairHours * 3600);
      const back = Math.min(repairs.next, own);
      if (back < own) repairs.add(own);
      parts.waiting += back - now;
      now = back;
      repairs.away(now);
      failureAt = now + wait(mtbf);
      return;
    }
    repairs.add(now + wait(spares.repairHours * 3600));
  };
  /** From a failure at `now` to training again; a restart that fails is begun anew. */
  const recover = () => {
    for (;;) {
      numFailures++;
      event("failure");
      failureAt = now + wait(mtbf);
      replaceNode();
      const end = now + restartSeconds;
      if (failureAt >= end) {
        parts.restarts += restartSeconds;
        now = end;
        break;
      }
      parts.restarts += failureAt - now;
      now = failureAt;
    }
    healthy();
  };
  /** Advances by `seconds` or to the failure before that; true when it got through. */
  const pass = (seconds: number): boolean => {
    const end = Math.min(now + seconds, failureAt);
    const through = now + seconds < failureAt;
    now = end;
    return through;
  };

  while (done < workSeconds) {
    const growth = planned[nextGrowth];
    const end = Math.min(done + interval, workSeconds, growth ? Math.max(growth.atSeconds, done) : Infinity);
    const began = now;
    let left = end - done;
    let waited = 0;
    let swapped = false;
    let failed = false;
    while (left > 0 && !failed && !swapped) {
      const rate = slow ? slowdown : 1;
      const untilEvent = Math.max(0, (slow ? swapAt : slowAt) - now);
      const whole = left * rate <= untilEvent;
      const from = now;
      failed = !pass(whole ? left * rate : untilEvent);
      left = whole && !failed ? 0 : Math.max(0, left - (now - from) / rate);
      waited += (now - from) * (1 - 1 / rate);
      if (failed || whole) break;
      if (!slow && now >= slowAt) {
        slow = true;
        event("slow");
        swapAt = stragglers?.detectSeconds === undefined ? Infinity : now + stragglers.detectSeconds;
      } else if (slow && now >= swapAt) {
        // Without a free spare the slow device stays until a node is back.
        if (spares && repairs.away(now) >= spares.spareNodes) swapAt = repairs.next;
        else swapped = true;
      }
    }
    const grows = !failed && !swapped && growth !== undefined && end >= growth.atSeconds;
    const pause = grows ? growth.pauseSeconds : 0;
    const last = !swapped && end >= workSeconds;
    const write = last ? 0 : checkpointSeconds;
    if (failed || !pass(pause + write)) {
      parts.lost += now - began;
      recover();
      continue;
    }
    const work = end - done - left;
    parts.work += work;
    parts.stragglers += waited;
    parts.growth += pause;
    parts.checkpoints += write;
    done = left === 0 ? end : done + work;
    if (grows) {
      nextGrowth++;
      event("growth");
    }
    if (swapped) {
      event("swap");
      if (spares) repairs.add(now + wait(spares.repairHours * 3600));
      const from = now;
      const restarted = pass(restartSeconds);
      parts.restarts += now - from;
      if (restarted) healthy();
      else recover();
    }
  }
  const seconds = Object.values(parts).reduce((a, b) => a + b, 0);
  return { seconds, goodput: parts.work / seconds, parts, numFailures, events };
}

function expectRequest({ numGpus, workSeconds, failures = defaultFailures, stragglers, spares, growths = [] }: SimulationRequest): void {
  const refuse = (what: string) => {
    throw new ConfigError(`simulateRun: ${what}`);
  };
  expectFailures(failures);
  if (!(Number.isInteger(numGpus) && numGpus > 0)) refuse(`numGpus: is ${numGpus}, expected a whole number above 0. Give the devices of the job.`);
  if (!(workSeconds > 0 && workSeconds < Infinity)) refuse(`workSeconds: is ${workSeconds}, expected more than 0. Give the seconds of undisturbed training.`);
  if (stragglers && !(stragglers.meanHours > 0)) refuse(`stragglers.meanHours: is ${stragglers.meanHours}, expected hours above 0. Leave stragglers out if there are none.`);
  if (stragglers && !(stragglers.slowdown >= 1 && stragglers.slowdown < 1000)) refuse(`stragglers.slowdown: is ${stragglers.slowdown}, expected step time over the usual, 1 or more. Give a factor, not percent.`);
  if (stragglers?.detectSeconds !== undefined && !(stragglers.detectSeconds >= 0)) refuse(`stragglers.detectSeconds: is ${stragglers.detectSeconds}, expected seconds of at least 0. Leave it out if nobody looks.`);
  if (spares && !(Number.isInteger(spares.spareNodes) && spares.spareNodes >= 0)) refuse(`spares.spareNodes: is ${spares.spareNodes}, expected a whole number of at least 0. Give nodes.`);
  if (spares && !(spares.repairHours > 0)) refuse(`spares.repairHours: is ${spares.repairHours}, expected hours above 0. Leave the pool out if a replacement is always at hand.`);
  for (const { atSeconds, pauseSeconds } of growths) {
    if (!(atSeconds >= 0 && pauseSeconds >= 0)) refuse(`growths: one has atSeconds ${atSeconds} and pauseSeconds ${pauseSeconds}, expected seconds of at least 0. Give points of the work and pauses.`);
  }
  const longest = failures.checkpointSeconds + failures.restartSeconds + Math.max(0, ...growths.map(({ pauseSeconds }) => pauseSeconds));
  const mtbf = (failures.mtbfHours * 3600) / numGpus;
  if (mtbf < longest / 5) {
    refuse(`the job fails every ${mtbf.toFixed(0)} s, a restart, a checkpoint and a pause take ${longest} s. Use fewer devices, or faster checkpoints and restarts.`);
  }
}

/** Runs of many seeds: the mean and the range that holds the middle 80 % of them. */
export interface SimulationSummary {
  seconds: Range;
  goodput: Range;
  numFailures: Range;
  /** Mean of each part. */
  parts: SimulationParts;
  runs: readonly Simulation[];
}

/**
 * The same run with `count` seeds, from `request.seed` on.
 *
 * @throws {ConfigError} as `simulateRun`, or when the count is no whole number above 0
 */
export function simulateRuns(request: SimulationRequest, count: number): SimulationSummary {
  if (!(Number.isInteger(count) && count > 0)) throw new ConfigError(`simulateRuns: count: is ${count}, expected a whole number above 0. Give the number of runs.`);
  const runs = Array.from({ length: count }, (_, i) => simulateRun({ ...request, seed: request.seed + i }));
  const mean = (value: (run: Simulation) => number) => runs.reduce((sum, run) => sum + value(run), 0) / count;
  const range = (value: (run: Simulation) => number): Range => {
    const sorted = runs.map(value).toSorted((a, b) => a - b);
    const at = (share: number) => sorted[Math.round(share * (count - 1))]!;
    return { low: at(0.1), value: mean(value), high: at(0.9) };
  };
  const parts = Object.fromEntries((Object.keys(runs[0]!.parts) as (keyof SimulationParts)[]).map((name) => [name, mean((run) => run.parts[name])])) as unknown as SimulationParts;
  return { seconds: range((run) => run.seconds), goodput: range((run) => run.goodput), numFailures: range((run) => run.numFailures), parts, runs };
}
