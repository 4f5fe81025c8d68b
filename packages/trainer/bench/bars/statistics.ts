import { performance } from "node:perf_hooks";

/** The value below which `share` of the values lie. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.round(share * (sorted.length - 1))]!;
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** Median with the lowest and highest tenth of what was measured. */
export interface Spread {
  median: number;
  low: number;
  high: number;
  repeats: number;
}

export function spread(values: readonly number[]): Spread {
  return { median: median(values), low: quantile(values, 0.1), high: quantile(values, 0.9), repeats: values.length };
}

/** `wall`, or `cpu`: the processor time of all threads of a process, which neighbours on the machine distort less. */
export const clock: "wall" | "cpu" = process.env.ESPALIER_BENCH_CLOCK === "cpu" ? "cpu" : "wall";

/** Seconds on that clock. */
export function now(): number {
  if (clock === "wall") return performance.now() / 1000;
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** One side of a comparison: work units a second of one burst. */
export type Side = () => Promise<number>;

/**
 * Lets the sides take turns, A B C A B C: a neighbour on the machine slows all of them alike, so that ratios of one
 * round stay meaningful when rates do not.
 */
export async function inTurns(sides: Readonly<Record<string, Side>>, rounds: number): Promise<Record<string, number[]>> {
  const rates: Record<string, number[]> = Object.fromEntries(Object.keys(sides).map((name) => [name, []]));
  for (let round = -1; round < rounds; round++) {
    for (const [name, side] of Object.entries(sides)) {
      const rate = await side();
      if (round >= 0) rates[name]!.push(rate); // the first round warms up
      await new Promise((resolve) => setTimeout(resolve, 25)); // until a rival's threads have stopped spinning
    }
  }
  return rates;
}

/** Ratios round by round. */
export function ratios(ours: readonly number[], theirs: readonly number[]): Spread {
  return spread(ours.map((value, i) => value / theirs[i]!));
}
