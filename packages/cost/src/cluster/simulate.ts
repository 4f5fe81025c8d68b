import { random } from "@espalier/core";
import { checkpointInterval, defaultFailures, type FailureModel } from "./goodput.ts";

/** Devices that slow the whole job down until a restart replaces them. */
export interface StragglerModel {
  /** Hours that one device runs until it becomes slow. */
  meanHours: number;
  /** Step time over the usual while any device is slow. */
  slowdown: number;
}

export interface SimulationRequest {
  numGpus: number;
  /** Seconds of training without any trouble. */
  workSeconds: number;
  failures?: FailureModel;
  stragglers?: StragglerModel;
  /** Points of the work, in seconds, at which the model grows, and the pause of each; a growth ends with a checkpoint. */
  growths?: readonly { atSeconds: number; pauseSeconds: number }[];
  seed: number;
}

export interface Simulation {
  seconds: number;
  /** Useful work over seconds. */
  goodput: number;
  /** Where the seconds went; they sum to `seconds`. */
  parts: { work: number; checkpoints: number; lost: number; restarts: number; stragglers: number; growth: number };
  numFailures: number;
}

/**
 * One run, event by event: work in segments that end in a checkpoint, failures at exponential times that throw back to
 * the last checkpoint (also while restarting or writing), restarts, slow devices, pauses for growth. Seeded; a run on
 * 100,000 devices takes milliseconds. Without stragglers and growth its mean is the closed form of `clusterGoodput`.
 *
 * @throws {RangeError} when the job fails so often that a segment hardly ever completes
 */
export function simulateRun(request: SimulationRequest): Simulation {
  const { numGpus, workSeconds, failures = defaultFailures, stragglers, growths = [], seed } = request;
  const { checkpointSeconds, restartSeconds } = failures;
  const mtbf = (failures.mtbfHours * 3600) / numGpus;
  if (mtbf < (checkpointSeconds + restartSeconds) / 5) {
    throw new RangeError(`simulateRun: the job fails every ${mtbf.toFixed(0)} s, a restart and a checkpoint take ${checkpointSeconds + restartSeconds} s. Use fewer devices, or faster checkpoints and restarts.`);
  }
  const interval = checkpointInterval(checkpointSeconds, mtbf);
  const draws = random(seed, "simulateRun").sequence();
  const wait = (mean: number) => -mean * Math.log(1 - draws.uniform());
  const parts = { work: 0, checkpoints: 0, lost: 0, restarts: 0, stragglers: 0, growth: 0 };
  const slowMean = stragglers ? (stragglers.meanHours * 3600) / numGpus : Infinity;
  let untilFailure = wait(mtbf);
  let untilSlow = stragglers ? wait(slowMean) : Infinity;
  let numFailures = 0;
  let done = 0;
  let nextGrowth = 0;
  const planned = growths.toSorted((a, b) => a.atSeconds - b.atSeconds);

  const restart = () => {
    numFailures++;
    untilSlow = stragglers ? wait(slowMean) : Infinity;
    // A restart that fails is begun anew.
    for (untilFailure = wait(mtbf); untilFailure < restartSeconds; untilFailure = wait(mtbf)) {
      parts.restarts += untilFailure;
      numFailures++;
    }
    parts.restarts += restartSeconds;
    untilFailure -= restartSeconds;
  };

  while (done < workSeconds) {
    const growth = planned[nextGrowth];
    const end = Math.min(done + interval, workSeconds, growth && growth.atSeconds > done ? growth.atSeconds : Infinity);
    const work = end - done;
    // Work up to the moment a device becomes slow runs at full speed, the rest of the segment slowly.
    const fast = Math.min(work, untilSlow);
    const slow = (work - fast) * ((stragglers?.slowdown ?? 1) - 1);
    const last = end >= workSeconds;
    const pause = growth && end >= growth.atSeconds ? growth.pauseSeconds : 0;
    const write = last ? 0 : checkpointSeconds;
    const segment = work + slow + pause + write;
    if (untilFailure < segment) {
      parts.lost += untilFailure;
      restart();
      continue;
    }
    untilFailure -= segment;
    untilSlow = Math.max(0, untilSlow - work);
    parts.work += work;
    parts.stragglers += slow;
    parts.growth += pause;
    parts.checkpoints += write;
    if (pause > 0 || (growth && end >= growth.atSeconds)) nextGrowth++;
    done = end;
  }
  const seconds = Object.values(parts).reduce((a, b) => a + b, 0);
  return { seconds, goodput: parts.work / seconds, parts, numFailures };
}
