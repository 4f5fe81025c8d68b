/** What the case lists share. */
import type { CaseTensor } from "../opCase.ts";

export const f32 = (shape: readonly number[], value?: (i: number) => number): CaseTensor => ({ shape, value });
export const i32 = (shape: readonly number[], value: (i: number) => number): CaseTensor => ({ shape, dtype: "i32", value });

/** Shapes with every kind of tail: below, at and above a vector of 4, 8 and 16; the last is large enough for many tasks. */
export const matrices: readonly (readonly [rows: number, columns: number])[] = [[1, 1], [3, 5], [2, 16], [5, 31], [7, 96], [450, 97]];

/** The three modes of an op that accumulates, mode 2 with both values of its flag. */
export const accumulations = [
  { note: "overwrites", accumulate: 0, flag: [] },
  { note: "adds", accumulate: 1, flag: [] },
  { note: "overwrites by flag", accumulate: 2, flag: [i32([1], () => 0)] },
  { note: "adds by flag", accumulate: 2, flag: [i32([1], () => 1)] },
];
