/**
 * Figures as a paper prints them. Kept as text, so that the number of digits, which is the claim's precision, is not lost.
 */

/** `"376.41"`, `"1.01e5"`, `"100,000"`. */
export type Printed = string;

/** A closed range of values. */
export type Interval = readonly [low: number, high: number];

/** The number that was printed. */
export function valueOf(printed: Printed): number {
  return Number(printed.replaceAll(",", ""));
}

/** One unit of the last printed digit: 0.01 for `"376.41"`, 1000 for `"1.01e5"`, 1 for `"100,000"`. */
export function lastDigitOf(printed: Printed): number {
  const [mantissa, exponent] = printed.replaceAll(",", "").split("e");
  const decimals = mantissa!.split(".")[1]?.length ?? 0;
  return 10 ** (Number(exponent ?? 0) - decimals);
}

/** All values that round to the printed figure: half a unit of the last digit on both sides. */
export function roundingInterval(printed: Printed): Interval {
  const value = valueOf(printed);
  const half = lastDigitOf(printed) / 2;
  return [value - half, value + half];
}

/** A value with as many digits as a printed figure has. */
export function asPrinted(value: number, printed: Printed): Printed {
  if (printed.includes("e")) return value.toExponential(printed.split("e")[0]!.split(".")[1]?.length ?? 0).replace("e+", "e");
  return value.toFixed(printed.split(".")[1]?.length ?? 0);
}

/** The value rounds to exactly the printed digits. */
export function equalsPrinted(value: number, printed: Printed): boolean {
  return Math.abs(valueOf(asPrinted(value, printed)) - valueOf(printed)) < lastDigitOf(printed) * 1e-6;
}

/** The value cut after as many digits as printed, not rounded, gives exactly the printed digits. */
export function truncatesToPrinted(value: number, printed: Printed): boolean {
  const unit = lastDigitOf(printed);
  return Math.abs(Math.floor(value / unit + 1e-9) * unit - valueOf(printed)) < unit * 1e-6;
}

/** Smallest and largest value of a function whose inputs are only known to rounding; monotone in each input. */
export function propagateRounding(inputs: readonly Printed[], f: (...values: number[]) => number): Interval {
  const ranges = inputs.map(roundingInterval);
  const corners = Array.from({ length: 2 ** ranges.length }, (_, mask) =>
    f(...ranges.map((range, i) => range[(mask >> i) & 1]!)),
  );
  return [Math.min(...corners), Math.max(...corners)];
}

/** The two ranges share a value: what was computed can have been printed so. */
export function overlaps(a: Interval, b: Interval): boolean {
  return a[0] <= b[1] && b[0] <= a[1];
}
