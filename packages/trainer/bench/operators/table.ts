/** One operator over all seeds: means, and differences to the control of the same seed. Nats per token. */
export interface WayResult {
  name: string;
  lossAtGrowth: number;
  lossSoonAfter: number;
  loss: number;
  differences: readonly number[];
}

export interface StudyResult {
  rate: number;
  baseLoss: number;
  scratch: number;
  ways: readonly WayResult[];
  seeds: number;
}

/** 97.5 % quantile of Student's t by degrees of freedom. */
const T_975 = [NaN, 12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262];

/** Markdown, best first. */
export function table({ rate, baseLoss, scratch, ways, seeds }: StudyResult): string {
  const rows = ways
    .toSorted((a, b) => a.loss - b.loss)
    .map(({ name, lossAtGrowth, lossSoonAfter, loss, differences }) =>
      `| ${name} | ${lossAtGrowth.toFixed(3)} | ${lossSoonAfter.toFixed(3)} | ${loss.toFixed(3)} | ${interval(differences)} |`,
    );
  return [
    `Base ${baseLoss.toFixed(3)}; from scratch on the same FLOPs ${scratch.toFixed(3)}; rate ${rate}, ${seeds} seeds; nats per token.`,
    "",
    "| operator | at the growth | 16 steps on | at the end | less scratch (95 % interval) |",
    "| --- | --- | --- | --- | --- |",
    ...rows,
  ].join("\n");
}

function interval(differences: readonly number[]): string {
  const n = differences.length;
  const mean = differences.reduce((a, b) => a + b, 0) / n;
  const signed = (value: number) => `${value < 0 ? "-" : "+"}${Math.abs(value).toFixed(3)}`;
  if (n < 2) return `${signed(mean)} (one seed)`;
  const std = Math.sqrt(differences.reduce((sum, d) => sum + (d - mean) ** 2, 0) / (n - 1));
  const half = (T_975[n - 1] ?? 1.96) * (std / Math.sqrt(n));
  return `${signed(mean)} (${signed(mean - half)} to ${signed(mean + half)})`;
}

/** Spearman's rank correlation; ties get their mean rank. */
export function rankCorrelation(a: readonly number[], b: readonly number[]): number {
  const [x, y] = [ranks(a), ranks(b)];
  const mean = (a.length - 1) / 2;
  const product = (u: readonly number[], v: readonly number[]) => u.reduce((sum, value, i) => sum + (value - mean) * (v[i]! - mean), 0);
  return product(x, y) / Math.sqrt(product(x, x) * product(y, y));
}

function ranks(values: readonly number[]): number[] {
  return values.map((value) => {
    const below = values.filter((other) => other < value).length;
    const equal = values.filter((other) => other === value).length;
    return below + (equal - 1) / 2;
  });
}
