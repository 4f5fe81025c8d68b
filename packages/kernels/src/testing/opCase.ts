/**
 * One op on one set of inputs, as data: traced into a program of a single instruction, run on any executor.
 * The cases are in `opCases.ts`, the comparison with the reference in `../ops.test.ts`.
 */
import { random } from "@espalier/core";
import {
  type Attributes,
  type DeviceBuffer,
  type DType,
  type Executor,
  Graph,
  Outputs,
  type Program,
  type ReferenceProgram,
  plan,
  recordOp,
  RuntimeInputs,
} from "@espalier/graph";

export type Values = Float32Array | Int32Array;

export interface CaseTensor {
  shape: readonly number[];
  dtype?: DType;
  /** Value of element i; default: standard normal numbers, different for each tensor of the case. */
  value?: (i: number) => number;
}

export interface OpCase {
  op: string;
  /** What is special about it, for the test's title. */
  note: string;
  inputs: readonly CaseTensor[];
  attributes?: Attributes;
  /** Per output: an owned tensor with these first values that the op writes, instead of a fresh one. */
  into?: readonly (CaseTensor | undefined)[];
  /** Shapes of outputs that do not follow from the inputs. */
  outputShapes?: readonly (readonly number[])[];
  /** Where `ops.test.ts` must be more patient than its table, as a factor, with the reason in the note. */
  patience?: number;
}

const madeValues = new WeakMap<CaseTensor, Map<string, Values>>();

/** Values of a tensor: stated, or normal numbers of a stream of their own. Made once, since a case runs many times. */
export function valuesOf(tensor: CaseTensor, ...labels: (string | number)[]): Values {
  const byLabel = madeValues.get(tensor) ?? new Map<string, Values>();
  madeValues.set(tensor, byLabel);
  const label = labels.join(" ");
  const values = byLabel.get(label) ?? makeValues(tensor, labels);
  byLabel.set(label, values);
  return values;
}

function makeValues({ shape, dtype = "f32", value }: CaseTensor, labels: readonly (string | number)[]): Values {
  const stream = random(1, ...labels);
  const from = value ?? ((i: number) => stream.normal(i));
  const count = shape.reduce((a, b) => a * b, 1);
  return dtype === "i32" ? Int32Array.from({ length: count }, (_, i) => from(i)) : Float32Array.from({ length: count }, (_, i) => from(i));
}

export interface TracedCase {
  program: Program;
  /** Names of the op's outputs, in order: program outputs `output0` ... or owned tensors `into0` ... */
  results: string[];
}

/** A program of the one instruction: inputs are runtime inputs `input0` ..., so that replays may change them. */
export function traceCase({ op, inputs, attributes, into = [], outputShapes }: OpCase): TracedCase {
  const graph = new Graph();
  const tensors = inputs.map(({ shape, dtype }, i) => graph.runtime(`input${i}`, shape, dtype));
  const owned = into.map((tensor, i) => tensor && graph.owned(`into${i}`, tensor.shape, tensor.dtype));
  const outputs = recordOp(op, tensors, { attributes, into: owned, outputShapes });
  outputs.forEach((tensor, i) => {
    if (!owned[i]) graph.output(`output${i}`, tensor);
  });
  return { program: plan(graph), results: outputs.map((_, i) => (owned[i] ? `into${i}` : `output${i}`)) };
}

/** Runs a case once from its first values; `changed` replaces inputs by name (`input2`). */
export async function runCase(
  executor: Executor,
  opCase: OpCase,
  changed: Readonly<Record<string, Values>> = {},
): Promise<ArrayLike<number>[]> {
  const { program, results } = traceCase(opCase);
  const loaded = executor.load(program);
  const runtime = new RuntimeInputs(program);
  const outputs = new Outputs(program);
  opCase.inputs.forEach((tensor, i) => runtime.set(`input${i}`, changed[`input${i}`] ?? valuesOf(tensor, opCase.op, "input", i)));
  const buffers = new Map<string, { buffer: DeviceBuffer; count: number }>(
    (opCase.into ?? []).flatMap((tensor, i) => {
      if (!tensor) return [];
      const values = valuesOf(tensor, opCase.op, "into", i);
      const buffer = executor.allocate(values.byteLength);
      buffer.write(values);
      loaded.bind(`into${i}`, buffer);
      return [[`into${i}`, { buffer, count: values.length }] as const];
    }),
  );
  await loaded.run(runtime.bytes, outputs.bytes);
  const read = (name: string): ArrayLike<number> => {
    // The reference hands out its doubles, so that rounding to float is an error of the kernels alone.
    if ("readFloat64" in loaded) return (loaded as ReferenceProgram).readFloat64(name);
    const place = buffers.get(name);
    if (!place) return outputs.get(name).slice();
    const values = new Float32Array(place.count);
    place.buffer.read(values);
    return values;
  };
  const values = results.map(read);
  loaded.free();
  return values;
}

/** max |a - b| / max |a|: the project's measure of accuracy. NaN or infinity anywhere but in both gives Infinity. */
export function largestError(expected: ArrayLike<number>, found: ArrayLike<number>): number {
  let difference = 0;
  let size = 0;
  for (let i = 0; i < expected.length; i++) {
    if (!Number.isFinite(expected[i]!) || !Number.isFinite(found[i]!)) {
      if (!Object.is(expected[i], found[i])) return Infinity;
      continue;
    }
    difference = Math.max(difference, Math.abs(expected[i]! - found[i]!));
    size = Math.max(size, Math.abs(expected[i]!));
  }
  return difference === 0 ? 0 : difference / size;
}
