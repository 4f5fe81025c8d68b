import { type ExperimentJob, isShortPilot, type RateGroup } from "@espalier/cost";

/** A finished pilot. */
export interface PilotResult {
  learningRate: number;
  finalLoss: number;
}

/** Rate with the lowest final loss; runs that diverged count as infinitely bad. */
export function bestRate(results: readonly PilotResult[]): number {
  const loss = (result: PilotResult) => (Number.isFinite(result.finalLoss) ? result.finalLoss : Infinity);
  return results.reduce((a, b) => (loss(b) < loss(a) ? b : a)).learningRate;
}

/**
 * The next rate to try when the best one lies at an end of the grid: a control whose rate was not bracketed is badly
 * tuned, and would flatter growth. Undefined once it is bracketed, or after `most` extensions.
 */
export function nextRate(results: readonly PilotResult[], planned: number, most = 2): number | undefined {
  if (results.length >= planned + most) return undefined;
  const rates = results.map((result) => result.learningRate).toSorted((a, b) => a - b);
  const best = bestRate(results);
  const ratio = rates[1]! / rates[0]!;
  if (best === rates[0]) return rates[0]! / ratio;
  if (best === rates.at(-1)) return rates.at(-1)! * ratio;
  return undefined;
}

/** Pilots of a group. */
export function pilotsOf(jobs: readonly ExperimentJob[], group: RateGroup): ExperimentJob[] {
  return jobs.filter((job) => isShortPilot(job) && job.id.startsWith(`pilot/${group}/`));
}

/** A further pilot beside planned ones. */
export function extraPilot(like: ExperimentJob, rate: number): ExperimentJob {
  const known = (like.learningRate as { fixed: number }).fixed;
  const rounded = Number(rate.toPrecision(4));
  return {
    ...like,
    id: like.id.replace(`lr-${known}`, `lr-${rounded}`),
    title: like.title.replace(`learning rate ${known}`, `learning rate ${rounded}`),
    learningRate: { fixed: rounded },
  };
}
