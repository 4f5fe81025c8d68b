/** An input as a law took it, and what had to be said about it. */
export interface Clamped {
  value: number;
  warning?: string;
}

/**
 * A law's input held to the range that the law was fitted on, with a sentence where it lay outside.
 *
 * @param format of the numbers in the sentence; three digits by default
 * @throws {RangeError} when the input is no positive number: that is a mistake, not an extrapolation
 */
export function clampToFit(law: string, input: string, value: number, [low, high]: readonly [number, number], format = (v: number) => v.toPrecision(3)): Clamped {
  if (!(value > 0 && value < Infinity)) throw new RangeError(`${law}: ${input}: is ${value}, expected a number above 0. Check the units.`);
  if (value >= low && value <= high) return { value };
  const held = value < low ? low : high;
  return { value: held, warning: `${law}: ${input} ${format(value)} is outside the fitted ${format(low)} to ${format(high)}, taken as ${format(held)}` };
}

/** The warnings among clamped inputs. */
export function warningsOfInputs(...inputs: readonly Clamped[]): string[] {
  return inputs.flatMap(({ warning }) => (warning === undefined ? [] : [warning]));
}
