import type { Attributes } from "@espalier/graph";
import type { CaseTensor, OpCase } from "../opCase.ts";

/** Rows, vocabulary, channels: one row; tails everywhere; several chunks; many of them. */
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

const rounding = "; g is rounded to bf16, and a last bit of fp32 decides which way: patience 4";

function casesOf(R: number, V: number, C: number, bf16: number): OpCase[] {
  const inputs = inputsOf(R, V, C);
  const note = `R=${R} V=${V} C=${C}${bf16 ? " bf16" : ""}`;
  const precision: Attributes = bf16 ? { bf16 } : {};
  const gradients = bf16 ? { note: `${note}${rounding}`, patience: 4 } : { note };
  return [
    { op: "linearCrossEntropy", note, inputs, attributes: { factor: 0.7, ...precision } },
    {
      op: "linearCrossEntropyWithGrad",
      ...gradients,
      note: `${gradients.note}, overwriting`,
      inputs,
      attributes: { factor: 0.7, accumulate: 0, ...precision },
    },
    {
      op: "linearCrossEntropyWithGrad",
      ...gradients,
      note: `${gradients.note}, adding by the flag`,
      inputs: [...inputs, flag(1)],
      attributes: { factor: 1, accumulate: 2, ...precision },
      into: [undefined, undefined, undefined, undefined, undefined, { shape: [V, C] }],
    },
    {
      op: "linearCrossEntropyGrad",
      ...gradients,
      note: `${gradients.note}, adding`,
      // Any lse will do: the formula does not ask that probabilities sum to 1.
      inputs: [...inputs, { shape: [R], value: (i) => 3 + (i % 5) / 4 }],
      attributes: { factor: 0.7, accumulate: 1, ...precision },
      into: [undefined, { shape: [V, C] }],
    },
  ];
}

export const linearCrossEntropyCases: OpCase[] = sizes.flatMap(([R, V, C]) => [...casesOf(R, V, C, 0), ...casesOf(R, V, C, 1)]);

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
