const superscripts = "⁰¹²³⁴⁵⁶⁷⁸⁹";

/** 5.3e12 as "5.3 × 10¹²"; small numbers plainly. */
export function scientific(value: number, digits = 2): string {
  if (value === 0) return "0";
  const exponent = Math.floor(Math.log10(Math.abs(value)));
  if (exponent > -4 && exponent < 6) return value.toLocaleString("en", { maximumSignificantDigits: digits + 1 });
  const mantissa = (value / 10 ** exponent).toFixed(digits - 1);
  const power = String(exponent).replace("-", "⁻").replace(/\d/g, (d) => superscripts[Number(d)]!);
  return `${mantissa} × 10${power}`;
}

/** 885312 as "885 k", 16000000 as "16.0 M". */
export function compact(value: number): string {
  for (const [unit, size] of [["T", 1e12], ["B", 1e9], ["M", 1e6], ["k", 1e3]] as const) {
    if (value >= size) return `${(value / size).toPrecision(3)} ${unit}`;
  }
  return value.toPrecision(3).replace(/\.?0+$/, "");
}

export function bytes(value: number): string {
  for (const [unit, size] of [["GB", 1e9], ["MB", 1e6], ["kB", 1e3]] as const) {
    if (value >= size) return `${(value / size).toPrecision(3)} ${unit}`;
  }
  return `${value} B`;
}

export function duration(seconds: number): string {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 90) return `${seconds.toFixed(0)} s`;
  const minutes = Math.floor(seconds / 60);
  return `${minutes} min ${Math.round(seconds - 60 * minutes)} s`;
}

export function percent(share: number, digits = 0): string {
  return `${(100 * share).toFixed(digits)} %`;
}

export function loss(value: number): string {
  return value.toFixed(4);
}

/** A difference with its sign: −0.2450, +0.0120. */
export function signed(value: number, digits = 4): string {
  return `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(digits)}`;
}

/** Both ends of an interval with the fewest digits, three or more, that tell them apart; one figure when they are one. */
export function range([low, high]: readonly [number, number]): string {
  if (low === high) return low.toPrecision(3);
  let digits = 3;
  while (digits < 7 && low.toPrecision(digits) === high.toPrecision(digits)) digits++;
  const show = (value: number) => String(Number(value.toPrecision(digits))).replace("-", "−");
  return `${show(low)} to ${show(high)}`;
}
