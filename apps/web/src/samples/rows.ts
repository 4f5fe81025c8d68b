import type { LogIndex } from "./logIndex.ts";

/** One line of the list: the sample's number in each log, -1 where a log lacks it. */
export interface Rows {
  a: Int32Array;
  b: Int32Array;
}

/** Samples of two logs side by side, by key, in the order of the first; those that only the second has come last. */
export function pairLogs(a: LogIndex | undefined, b: LogIndex | undefined): Rows {
  const inB = new Map(b?.keys.map((key, i) => [key, i]));
  const first = (a?.keys ?? []).map((key, i) => [i, inB.get(key) ?? -1] as const);
  const taken = new Set(first.map(([, other]) => other));
  const rest = (b?.keys ?? []).flatMap((_, i) => (taken.has(i) ? [] : [[-1, i] as const]));
  const all = [...first, ...rest];
  return { a: Int32Array.from(all, ([i]) => i), b: Int32Array.from(all, ([, i]) => i) };
}

/** Right, wrong, or not scored so. */
export function markOf(index: LogIndex | undefined, sample: number, score: string): boolean | undefined {
  if (!index || sample < 0) return undefined;
  const id = index.scoreNames.indexOf(score);
  if (id < 0 || !((index.scored[sample]! >>> id) & 1)) return undefined;
  return ((index.right[sample]! >>> id) & 1) === 1;
}

export type Show = "all" | "wrongA" | "wrongB" | "differ";

export interface Found {
  a: Uint8Array;
  b: Uint8Array;
}

export interface Filter {
  show: Show;
  score: string;
  /** Empty: every task. */
  task: string;
  /** By sample of each log, 1 where a search found it; absent without a search. */
  found?: Found;
}

/** Numbers of the rows that a filter leaves. */
export function filterRows(rows: Rows, a: LogIndex | undefined, b: LogIndex | undefined, { show, score, task, found }: Filter): Uint32Array {
  const kept: number[] = [];
  for (let row = 0; row < rows.a.length; row++) {
    const [i, j] = [rows.a[row]!, rows.b[row]!];
    if (task !== "" && (i >= 0 ? a!.taskNames[a!.tasks[i]!] : b!.taskNames[b!.tasks[j]!]) !== task) continue;
    if (found && found.a[i] !== 1 && found.b[j] !== 1) continue;
    const [markA, markB] = [markOf(a, i, score), markOf(b, j, score)];
    if (show === "wrongA" && markA !== false) continue;
    if (show === "wrongB" && markB !== false) continue;
    if (show === "differ" && (markA === undefined || markB === undefined || markA === markB)) continue;
    kept.push(row);
  }
  return Uint32Array.from(kept);
}

/** Where a row stands among those kept, or the next one that is. */
export function placeOf(kept: Uint32Array, row: number): number {
  let [low, high] = [0, kept.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (kept[middle]! < row) low = middle + 1;
    else high = middle;
  }
  return Math.max(0, Math.min(low, kept.length - 1));
}

export interface Tally {
  a: { right: number; scored: number };
  b: { right: number; scored: number };
  /** Over samples that both logs score. */
  both: { pairs: number; onlyA: number; onlyB: number };
}

export function tally(rows: Rows, a: LogIndex | undefined, b: LogIndex | undefined, { score, task }: Pick<Filter, "score" | "task">): Tally {
  const result: Tally = { a: { right: 0, scored: 0 }, b: { right: 0, scored: 0 }, both: { pairs: 0, onlyA: 0, onlyB: 0 } };
  for (const row of filterRows(rows, a, b, { show: "all", score, task })) {
    const [markA, markB] = [markOf(a, rows.a[row]!, score), markOf(b, rows.b[row]!, score)];
    if (markA !== undefined) result.a.scored++;
    if (markB !== undefined) result.b.scored++;
    if (markA) result.a.right++;
    if (markB) result.b.right++;
    if (markA === undefined || markB === undefined) continue;
    result.both.pairs++;
    if (markA && !markB) result.both.onlyA++;
    if (markB && !markA) result.both.onlyB++;
  }
  return result;
}

/**
 * Two-sided p-value of McNemar's exact test: of the samples that only one model got right, how surprising is the split
 * if both are equally good?
 *
 * @see McNemar 1947, Psychometrika 12(2)
 */
export function mcnemarPValue(onlyA: number, onlyB: number): number {
  const n = onlyA + onlyB;
  if (n === 0) return 1;
  let logTerm = -n * Math.LN2; // binomial(n, 0) / 2^n
  let tail = 0;
  for (let k = 0; k <= Math.min(onlyA, onlyB); k++) {
    tail += Math.exp(logTerm);
    logTerm += Math.log((n - k) / (k + 1));
  }
  return Math.min(1, 2 * tail);
}
