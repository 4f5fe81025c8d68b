import { ConfigError, DataError, random } from "@espalier/core";
import { permutation } from "./permutation.ts";

/** Tokens in a row somewhere, by their number alone. */
export interface WindowSource {
  /** Keys the order of this source's windows. */
  name: string;
  numTokens: number;
  /** Share of the windows that come from here, relative to the other sources; above 0. */
  weight: number;
}

/** T + 1 tokens of a source: inputs, and one further on targets. */
export interface Window {
  /** Index of the source. */
  source: number;
  /** First token. */
  start: number;
}

/** Raised when the same seed and step would give other windows: runs name it, so that none continues in another order. */
export const DATA_ORDER_VERSION = 1;

/** Weights are rounded to this fraction, so that the mixture is integer arithmetic and never drifts. */
const WEIGHT_UNIT = 2 ** 20;

/** Number of whole windows in `numTokens` tokens. */
export function numWindows(numTokens: number, seqLen: number): number {
  return Math.max(0, Math.floor((numTokens - 1) / seqLen));
}

/**
 * From the number of a window in a run to its place: a pure function of sources, seed and T.
 *
 * A source of n tokens is cut into `floor((n - 1) / T)` windows; window w has inputs `tokens[wT .. wT + T)` and targets
 * one further on. The tokens behind the last whole window (fewer than T + 1) are not used. Sources take the numbers in
 * turn, as evenly as their weights (rounded to 2^-20 of their sum) allow: after any number of windows no source is further
 * from its share than there are sources. The i-th number that falls to a source is window `i mod numWindows` of its
 * epoch `floor(i / numWindows)`, in an order shuffled over the whole source by (seed, source name, epoch).
 *
 * @param where names the caller in errors
 * @throws {ConfigError} when a weight is not above 0
 * @throws {DataError} when a source is shorter than one window
 */
export function windowOrder(sources: readonly WindowSource[], seed: number, seqLen: number, where = "data order"): (number: number) => Window {
  const shares = cumulativeShares(sources, where);
  const windowOf = sources.map((source) => shuffledWindows(source, seed, seqLen, where));
  return (number) => {
    const [source, index] = turnOf(number, shares);
    return { source, start: windowOf[source]!(index) * seqLen };
  };
}

/** From the i-th turn of a source to a window, remembering the permutation of the epoch last asked for. */
function shuffledWindows({ name, numTokens }: WindowSource, seed: number, T: number, where: string): (index: number) => number {
  const count = numWindows(numTokens, T);
  if (count === 0) {
    throw new DataError(`${where}: source ${name} has ${numTokens} tokens, expected at least ${T + 1} for one window. Give more text or a smaller seqLen.`);
  }
  let epoch = -1;
  let order = (index: number) => index;
  return (index) => {
    if (Math.floor(index / count) !== epoch) {
      epoch = Math.floor(index / count);
      order = permutation(count, random(seed, "data order", name, epoch));
    }
    return order(index % count);
  };
}

/** Of source s against all sources up to it: weight in units of 1 / WEIGHT_UNIT. */
export function cumulativeShares(sources: readonly Pick<WindowSource, "name" | "weight">[], where: string): number[] {
  let sum = 0;
  return sources.map(({ name, weight }) => {
    if (!(weight > 0) || !Number.isFinite(weight)) {
      throw new ConfigError(`${where}: weight of source ${name} is ${weight}, expected a number above 0. Leave the source out instead.`);
    }
    sum += weight;
    return Math.round((weight / sum) * WEIGHT_UNIT);
  });
}

/** Which source window number q falls to, and how many numbers it had before: last source against the rest, and so on. */
export function turnOf(q: number, shares: readonly number[]): [source: number, index: number] {
  let number = q;
  for (let source = shares.length - 1; source > 0; source--) {
    const before = Math.floor((number * shares[source]!) / WEIGHT_UNIT);
    const after = Math.floor(((number + 1) * shares[source]!) / WEIGHT_UNIT);
    if (after > before) return [source, before];
    number -= before;
  }
  return [0, number];
}
