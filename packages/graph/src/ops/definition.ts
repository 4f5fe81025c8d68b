import { ConfigError, ShapeError } from "@espalier/core";
import type { Tensor } from "../graph.ts";
import { type TensorType, elements, expectDtype, expectShape } from "../shapes.ts";
import type { Attributes } from "../types.ts";

/** How a gradient is written: 0 overwrite, 1 add, 2 add if the runtime flag is not 0, else overwrite. */
export type AccumulateMode = 0 | 1 | 2;

/** Where an *acc* backward op writes: a parameter's owned gradient, or a fresh intermediate (mode 0). */
export interface GradientTarget {
  readonly tensor?: Tensor;
  readonly accumulate: AccumulateMode;
  readonly flag?: Tensor;
}

/** What a gradient rule is given about the node that it differentiates. */
export interface GradientContext {
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  readonly attributes: Attributes;
  /** Gradient of the first output. Rules with several differentiable outputs do not exist. */
  readonly dy: Tensor;
  /** Whether the loss is differentiated with respect to something behind this input. */
  needs(input: number): boolean;
  /** Where an *acc* op must write the gradient of this input. Call once per write: the next writer adds. */
  target(input: number): GradientTarget;
}

/** Records the backward ops of a node; returns the gradient of each input, undefined where there is none. */
export type GradientRule = (context: GradientContext) => readonly (Tensor | undefined)[];

/** The same for the op whose first output is the loss: its upstream gradient is 1. */
export type LossGradientRule = (context: Omit<GradientContext, "dy">) => readonly (Tensor | undefined)[];

/** One row of the op table. */
export interface OpDefinition {
  readonly name: string;
  /** Names in the order of docs/ops.md and of the native registry. */
  readonly attributes: readonly string[];
  /** Names that may be left out, and then count as 0. */
  readonly optional?: readonly string[];
  /**
   * Shapes and dtypes of the outputs. `declared` holds those that the caller stated; only ops whose outputs do not
   * follow from their inputs look at it.
   *
   * @throws {ShapeError} naming op, argument and both values
   */
  readonly infer: (
    inputs: readonly TensorType[],
    attributes: Attributes,
    declared: readonly (TensorType | undefined)[],
  ) => readonly TensorType[];
  /** Absent: the op has no gradient, and a loss behind it is refused. */
  readonly gradient?: GradientRule;
  /** Present for the op at which differentiation starts. */
  readonly lossGradient?: LossGradientRule;
  /** Pairs `[output, input]` that may share storage when the input is not used later. Absent: none may. */
  readonly inPlace?: readonly (readonly [output: number, input: number])[];
  /** FLOPs of one call (multiply-add = 2; an exponential, tanh, root or division = 1). */
  readonly flops: (inputs: readonly TensorType[], outputs: readonly TensorType[], attributes: Attributes) => number;
  /** Bytes that one call must move at least. Absent: every input is read once and every output written once. */
  readonly bytes?: (inputs: readonly TensorType[], outputs: readonly TensorType[]) => number;
}

/**
 * Records one node: checks and infers shapes, puts the attributes in the order of the table.
 *
 * @param into  owned tensors to be written instead of fresh outputs
 * @param declared  types of outputs that do not follow from the inputs
 */
export function record(
  definition: OpDefinition,
  inputs: readonly Tensor[],
  attributes: Attributes = {},
  into: readonly (Tensor | undefined)[] = [],
  declared: readonly (TensorType | undefined)[] = into,
): Tensor[] {
  const graph = inputs[0].graph;
  for (const input of inputs) {
    if (input.graph !== graph) {
      throw new ConfigError(
        `${definition.name}: '${input.name}' belongs to another graph than '${inputs[0].name}', expected one graph. ` +
          "Trace one model in one graph.",
      );
    }
  }
  const ordered: Record<string, number> = {};
  for (const name of definition.attributes) {
    const value = attributes[name];
    if (typeof value !== "number" || Number.isNaN(value)) {
      throw new ShapeError(`${definition.name}: ${name}: is ${value}, expected a number. See docs/ops.md.`);
    }
    ordered[name] = value;
  }
  for (const name of definition.optional ?? []) {
    if (attributes[name]) ordered[name] = attributes[name];
  }
  const types = definition.infer(inputs, ordered, declared);
  return graph.append({ op: definition.name, inputs: inputs.map(({ id }) => id), attributes: ordered }, types, into);
}

/** The inputs of an *acc* op without the flag, which is checked here. */
export function withoutFlag(op: string, inputs: readonly TensorType[], attributes: Attributes): readonly TensorType[] {
  if (attributes.accumulate !== 2) return inputs;
  const flag = inputs[inputs.length - 1];
  expectDtype(`${op}: accumulateFlag`, flag, "i32");
  expectShape(`${op}: accumulateFlag`, flag, [1], "Declare the runtime input `accumulateFlag` as i32 [1].");
  return inputs.slice(0, -1);
}

/** The inputs followed by the flag of a target, when there is one. */
export function withFlag(inputs: readonly Tensor[], target: GradientTarget): readonly Tensor[] {
  return target.flag ? [...inputs, target.flag] : inputs;
}

/** Into a fresh intermediate. */
export const fresh: GradientTarget = { accumulate: 0 };

/** FLOPs of an elementwise op: `each` per element of the first output. */
export function perElement(each: number): OpDefinition["flops"] {
  return (_inputs, outputs) => each * elements(outputs[0].shape);
}
