import { ConfigError } from "@espalier/core";

/** What interrupts a run. Seconds, but for the mean time between failures. */
export interface FailureModel {
  /** Hours that one device runs between failures that stop the job. */
  mtbfHours: number;
  checkpointSeconds: number;
  /** From a failure to training again, without the lost work. */
  restartSeconds: number;
  /** Share of time lost to what is no failure: evaluation, slow data, growth, restarts by hand. */
  otherShare: number;
}

/**
 * 419 unexpected interruptions of 16,384 GPUs in 54 days: one in 50,700 GPU-hours (Llama 3, arXiv:2407.21783, table 5).
 * The other three are assumptions.
 */
export const defaultFailures: FailureModel = { mtbfHours: 50_700, checkpointSeconds: 60, restartSeconds: 600, otherShare: 0.05 };

export interface Goodput {
  /** Useful seconds over seconds, the product of the two below. */
  goodput: number;
  /** What failures, restarts and checkpoints leave. */
  failureShare: number;
  otherShare: number;
  /** Mean seconds between failures of the job. */
  mtbfSeconds: number;
  /** Seconds of work between checkpoints that lose least. */
  checkpointIntervalSeconds: number;
}

/**
 * Checkpoint interval after Daly: `sqrt(2 d M) (1 + sqrt(d / 2M) / 3 + d / 18M) - d` for d < 2M, else M; its first
 * factor is Young's.
 *
 * @param checkpointSeconds d
 * @param mtbfSeconds       M, of the whole job
 * @see Daly 2006, Future Generation Computer Systems 22(3), equation 37; Young 1974, CACM 17(9)
 */
export function checkpointInterval(checkpointSeconds: number, mtbfSeconds: number): number {
  const d = checkpointSeconds;
  const M = mtbfSeconds;
  if (d >= 2 * M) return M;
  return Math.sqrt(2 * d * M) * (1 + Math.sqrt(d / (2 * M)) / 3 + d / (18 * M)) - d;
}

/** @throws {ConfigError} when a time is not above 0 or a share is outside of [0, 1) */
export function expectFailures({ mtbfHours, checkpointSeconds, restartSeconds, otherShare }: FailureModel): void {
  if (!(mtbfHours > 0 && checkpointSeconds > 0 && restartSeconds >= 0)) {
    throw new ConfigError(`failures: mtbfHours ${mtbfHours}, checkpointSeconds ${checkpointSeconds}, restartSeconds ${restartSeconds}: expected times above 0. Give hours and seconds.`);
  }
  if (!(otherShare >= 0 && otherShare < 1)) {
    throw new ConfigError(`failures: otherShare: is ${otherShare}, expected 0 or more and below 1. Give a share, not percent.`);
  }
}

/**
 * Share of useful time of a job of `numGpus` devices with exponential failures: with M the job's mean time between
 * failures, `1 / goodput = M/t e^(R/M) (e^((t + d)/M) - 1)` (Daly 2006, equation 20) at his interval t; times
 * `1 - otherShare`.
 *
 * @throws {ConfigError} when a time is not above 0 or a share is outside of [0, 1)
 */
export function clusterGoodput(numGpus: number, failures: FailureModel = defaultFailures): Goodput {
  expectFailures(failures);
  const { mtbfHours, checkpointSeconds: d, restartSeconds, otherShare } = failures;
  const M = (mtbfHours * 3600) / numGpus;
  const t = checkpointInterval(d, M);
  const failureShare = t / (M * Math.exp(restartSeconds / M) * Math.expm1((t + d) / M));
  return { goodput: failureShare * (1 - otherShare), failureShare, otherShare, mtbfSeconds: M, checkpointIntervalSeconds: t };
}
