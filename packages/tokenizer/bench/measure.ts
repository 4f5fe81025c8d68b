import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";

export const corpus = new URL("../../../../shared/data/corpus/", import.meta.url);

/** The texts of a `.jsonl.gz` file. */
export const textsOf = (file: string | URL): string[] =>
  gunzipSync(readFileSync(file)).toString("utf8").trim().split("\n").map((line) => (JSON.parse(line) as { text: string }).text);

export const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;

/** `median (lowest-highest)`. */
export const spread = (values: readonly number[], digits = 1): string =>
  `${median(values).toFixed(digits)} (${Math.min(...values).toFixed(digits)}-${Math.max(...values).toFixed(digits)})`;

export function seconds(work: () => void): number {
  const start = performance.now();
  work();
  return (performance.now() - start) / 1000;
}
