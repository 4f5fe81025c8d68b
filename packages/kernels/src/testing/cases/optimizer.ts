import type { CaseTensor, OpCase } from "../opCase.ts";

const attributes = { beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.1, rateScale: 0.5 };
/** Second moments are positive. */
const second = (shape: readonly number[]): CaseTensor => ({ shape, value: (i) => 0.01 + (i % 11) / 50 });

function adamw(shape: readonly number[], note: string, { norm = 2, clip = 1, rowBirth, colBirth, seed = 0 }: {
  norm?: number;
  clip?: number;
  rowBirth?: number;
  colBirth?: number;
  /** Of stochastic rounding; 0: none. */
  seed?: number;
} = {}): OpCase {
  const births = (count: number): CaseTensor => ({ shape: [count], dtype: "i32", value: (i) => (i * 7) % 3 });
  const inputs: CaseTensor[] = [
    { shape },
    { shape: [1], value: () => norm },
    { shape: [seed ? 3 : 2], value: (i) => [0.01, clip, 12][i]! },
    { shape: [3, 3], value: (i) => [0.9, 0.8, 1, 0.5, 0.4, 0.7, 0.1, 0.05, 0.2][i]! },
  ];
  if (rowBirth) inputs.push(births(rowBirth));
  if (colBirth) inputs.push(births(colBirth));
  return { op: "adamw", note, inputs, attributes: { ...attributes, ...(seed && { stochasticSeed: seed }) }, into: [{ shape }, { shape }, second(shape)] };
}

export const optimizerCases: OpCase[] = [
  adamw([37], "a vector"),
  adamw([5, 33], "clipped"),
  adamw([5, 33], "norm below the clipping norm", { norm: 0.5 }),
  adamw([5, 33], "no clipping", { clip: 0 }),
  adamw([5, 33], "norm is infinite: nothing changes", { norm: Infinity }),
  adamw([5, 33], "norm is not a number: nothing changes", { norm: NaN }),
  adamw([37], "births of a vector", { rowBirth: 37 }),
  adamw([6, 29], "births of rows", { rowBirth: 6 }),
  adamw([6, 29], "births of rows and columns", { rowBirth: 6, colBirth: 29 }),
  adamw([3, 2, 29], "births of rows of a tensor of rank 3", { rowBirth: 6, colBirth: 29 }),
  // Few elements, since one whose update ends within an error of a carry may be rounded the other way.
  adamw([37], "a vector rounded to bf16", { seed: 3_000_000_011 }),
  adamw([6, 29], "rounded to bf16, births of rows and columns", { rowBirth: 6, colBirth: 29, seed: 5 }),
  adamw([300, 130], "several tasks", { rowBirth: 300, colBirth: 130 }),
  { op: "gradNorm", note: "one element", inputs: [{ shape: [1] }] },
  { op: "gradNorm", note: "three tensors, one of several blocks", inputs: [{ shape: [7] }, { shape: [333, 600] }, { shape: [2, 3, 5] }] },
  { op: "gradNorm", note: "squares beyond the range of float", inputs: [{ shape: [100], value: (i) => 1e25 * (i - 50) }] },
];
