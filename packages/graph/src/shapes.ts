import { ShapeError } from "@espalier/core";
import type { DType } from "./types.ts";

/** What shape inference knows of a tensor. */
export interface TensorType {
  readonly shape: readonly number[];
  readonly dtype: DType;
}

export function showShape(shape: readonly number[]): string {
  return `[${shape.join(", ")}]`;
}

/** @throws {ShapeError} `where: shape is [..], expected [..]. advice` */
export function expectShape(
  where: string,
  { shape }: TensorType,
  expected: readonly number[],
  advice: string,
): void {
  if (shape.length === expected.length && shape.every((size, i) => size === expected[i])) return;
  throw new ShapeError(`${where}: shape is ${showShape(shape)}, expected ${showShape(expected)}. ${advice}`);
}

/** Like `expectShape` for tensors whose leading axes may be split: only the number of elements counts. */
export function expectElements(where: string, { shape }: TensorType, expected: number, advice: string): void {
  if (elements(shape) === expected) return;
  throw new ShapeError(`${where}: shape is ${showShape(shape)}, expected ${expected} elements. ${advice}`);
}

/** @throws {ShapeError} naming both ranks and the axes that the argument should have */
export function expectRank(where: string, { shape }: TensorType, rank: number, axes: string): void {
  if (shape.length === rank) return;
  throw new ShapeError(
    `${where}: shape is ${showShape(shape)} of rank ${shape.length}, expected rank ${rank}. Pass ${axes}.`,
  );
}

/** @throws {ShapeError} naming both dtypes */
export function expectDtype(where: string, { dtype }: TensorType, expected: DType): void {
  if (dtype === expected) return;
  throw new ShapeError(`${where}: dtype is ${dtype}, expected ${expected}. Declare the tensor with that dtype.`);
}

/** All the named inputs are f32. */
export function expectFloats(op: string, inputs: Readonly<Record<string, TensorType | undefined>>): void {
  for (const name in inputs) {
    const input = inputs[name];
    if (input) expectDtype(`${op}: ${name}`, input, "f32");
  }
}

/** @throws {ShapeError} when the number of inputs lies outside `[least, most]` */
export function expectInputs(op: string, inputs: readonly TensorType[], least: number, most = least): void {
  if (inputs.length >= least && inputs.length <= most) return;
  const range = least === most ? `${least}` : `${least} to ${most}`;
  throw new ShapeError(`${op}: found ${inputs.length} inputs, expected ${range}. See docs/ops.md for their order.`);
}

export function elements(shape: readonly number[]): number {
  let product = 1;
  for (const size of shape) product *= size;
  return product;
}

/** Length of the last axis. */
export function lastAxis(shape: readonly number[]): number {
  return shape.length === 0 ? 1 : shape[shape.length - 1];
}

/** Number of rows after flattening all axes but the last. */
export function numRows(shape: readonly number[]): number {
  return elements(shape) / lastAxis(shape);
}

export function f32(shape: readonly number[]): TensorType {
  return { shape, dtype: "f32" };
}
