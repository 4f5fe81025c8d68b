import type { CaseTensor, OpCase } from "../opCase.ts";

/** Rows, vocabulary, channels: one row; tails everywhere; several chunks; several blocks of rows (R V > 2^21). */
const sizes = [
  [1, 2, 1],
  [5, 37, 9],
  [61, 130, 48],
  [30, 1100, 17],
  [300, 9000, 8],
] as const;

function inputsOf(R: number, V: number, C: number): CaseTensor[] {
  return [
    { shape: [R, C] },
    { shape: [V, C] },
    // Every seventh row has no target; the first and the last word occur.
    { shape: [R], dtype: "i32", value: (i) => (i % 7 === 3 ? -1 : i === 0 ? V - 1 : (i * 31) % V) },
    { shape: [R], value: (i) => (1 + (i % 3)) / (2 * R) },
  ];
}

const flag = (value: number): CaseTensor => ({ shape: [1], dtype: "i32", value: () => value });

export const linearCrossEntropyCases: OpCase[] = sizes.flatMap(([R, V, C]): OpCase[] => {
  const inputs = inputsOf(R, V, C);
  const note = `R=${R} V=${V} C=${C}`;
  return [
    { op: "linearCrossEntropy", note, inputs, attributes: { factor: 0.7 } },
    {
      op: "linearCrossEntropyWithGrad",
      note: `${note}, overwriting`,
      inputs,
      attributes: { factor: 0.7, accumulate: 0 },
    },
    {
      op: "linearCrossEntropyWithGrad",
      note: `${note}, adding by the flag`,
      inputs: [...inputs, flag(1)],
      attributes: { factor: 1, accumulate: 2 },
      into: [undefined, undefined, undefined, undefined, undefined, { shape: [V, C] }],
    },
    {
      op: "linearCrossEntropyGrad",
      note: `${note}, adding`,
      // Any lse will do: the formula does not ask that probabilities sum to 1.
      inputs: [...inputs, { shape: [R], value: (i) => 3 + (i % 5) / 4 }],
      attributes: { factor: 0.7, accumulate: 1 },
      into: [undefined, { shape: [V, C] }],
    },
  ];
});

linearCrossEntropyCases.push({
  op: "linearCrossEntropy",
  note: "equal largest logits: only the first is the greedy choice",
  inputs: [
    { shape: [3, 1], value: () => 1 },
    { shape: [600, 1], value: (i) => (i === 5 || i === 550 ? 2 : 0) },
    { shape: [3], dtype: "i32", value: (i) => [5, 550, 7][i]! },
    { shape: [3], value: () => 1 },
  ],
  attributes: { factor: 1 },
});
