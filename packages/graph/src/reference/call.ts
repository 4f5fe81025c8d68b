import type { Attributes } from "../types.ts";

/** A tensor's values in double precision; i32 tensors hold whole numbers. */
export interface Values {
  readonly data: Float64Array;
  readonly shape: readonly number[];
}

/** One instruction with its tensors resolved. */
export interface ReferenceCall {
  readonly inputs: readonly Values[];
  readonly outputs: readonly Values[];
  readonly attributes: Attributes;
}

/** Computes the outputs of one op with plain loops. */
export type ReferenceOp = (call: ReferenceCall) => void;

export function lastAxis({ shape }: Values): number {
  return shape.length === 0 ? 1 : shape[shape.length - 1];
}

export function numRows(values: Values): number {
  return values.data.length / lastAxis(values);
}

/** Whether an *acc* op adds to what its output holds: mode 1, or mode 2 with a flag (the last input) that is not 0. */
export function accumulates({ inputs, attributes }: ReferenceCall): boolean {
  if (attributes.accumulate === 2) return inputs[inputs.length - 1].data[0] !== 0;
  return attributes.accumulate === 1;
}

/** Makes a gradient ready to be added to: zero, unless the op accumulates. */
export function startGradient(call: ReferenceCall, gradient: Values): Float64Array {
  if (!accumulates(call)) gradient.data.fill(0);
  return gradient.data;
}
