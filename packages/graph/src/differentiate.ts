import { ConfigError } from "@espalier/core";
import type { Graph, Tensor } from "./graph.ts";
import { add } from "./ops/add.ts";
import { columnSum } from "./ops/columnSum.ts";
import type { GradientTarget } from "./ops/definition.ts";
import { RESHAPE, reshape } from "./ops/reshape.ts";
import { opDefinition } from "./ops/table.ts";
import { elements } from "./shapes.ts";
import type { GraphNode } from "./types.ts";

export interface DifferentiateOptions {
  /** The `loss` of a `linearCrossEntropy`. */
  loss: Tensor;
  /** The owned tensors to differentiate with respect to. */
  wrt: readonly Tensor[];
  /** Name of the owned tensor that receives a parameter's gradient. Default `grad:<name>`. */
  gradientOf?: (name: string) => string;
  /**
   * Runtime i32 `[1]`: 0 overwrites the gradients of earlier runs, anything else adds to them. Absent: every run
   * overwrites.
   */
  accumulateFlag?: Tensor;
}

/**
 * Reverse-mode differentiation: appends the backward ops to the graph of `loss`, from its node back to the first.
 * Each op names its own backward ops; only those are recorded that lead to a parameter of `wrt`. Gradients of
 * intermediates that are used more than once are summed with `add`; gradients of parameters are written into owned
 * tensors, the first writer by the accumulate flag, later writers adding, so a tied block needs no special case.
 *
 * @returns  the owned gradient of each parameter, by the parameter's name
 * @throws {ConfigError} when a parameter does not reach the loss, or an op on the way has no gradient
 */
export function differentiate(options: DifferentiateOptions): Map<string, Tensor> {
  const { loss, wrt } = options;
  const graph = loss.graph;
  const lossIndex = graph.nodes.findIndex(({ outputs }) => outputs[0] === loss.id);
  const lossRule = lossIndex < 0 ? undefined : opDefinition(graph.nodes[lossIndex].op).lossGradient;
  if (!lossRule) {
    throw new ConfigError(
      `differentiate: loss: found '${loss.name}', expected the loss of linearCrossEntropy. Pass its first result.`,
    );
  }
  const forward = graph.nodes.slice(0, lossIndex + 1);
  const depends = dependents(graph, forward, wrt);
  const parameters = new ParameterGradients(graph, options);
  /** Gradient of each intermediate so far. */
  const gradients = new Map<number, Tensor>();

  for (let index = lossIndex; index >= 0; index--) {
    const node = forward[index];
    const dy = gradients.get(node.outputs[0]);
    if (index !== lossIndex && !dy) continue;
    if (!node.inputs.some((id) => depends[id])) continue;
    const inputs = node.inputs.map((id) => graph.tensor(id));
    const context = {
      inputs,
      outputs: node.outputs.map((id) => graph.tensor(id)),
      attributes: node.attributes,
      needs: (input: number) => depends[node.inputs[input]],
      target: (input: number) => parameters.target(inputs[input]),
    };
    const contributions = index === lossIndex ? lossRule(context) : ruleOf(node)({ ...context, dy: dy! });
    inputs.forEach((input, i) => {
      if (!depends[input.id]) return;
      const contribution = contributions[i];
      if (!contribution) throw noGradient(node, `input ${i} ('${input.name}')`);
      if (parameters.has(input)) return parameters.write(input, contribution);
      const earlier = gradients.get(input.id);
      gradients.set(input.id, earlier ? add(earlier, contribution) : contribution);
    });
  }
  return parameters.finish();
}

/** For each tensor, whether it is computed from a parameter of `wrt`. */
function dependents(graph: Graph, nodes: readonly GraphNode[], wrt: readonly Tensor[]): boolean[] {
  const depends: boolean[] = new Array(graph.tensors.length).fill(false);
  for (const { id } of wrt) depends[id] = true;
  for (const { inputs, outputs } of nodes) {
    if (inputs.some((id) => depends[id])) for (const id of outputs) depends[id] = true;
  }
  return depends;
}

function ruleOf(node: GraphNode) {
  if (node.op === RESHAPE) {
    return ({ inputs: [x], dy }: { inputs: readonly Tensor[]; dy: Tensor }) => [reshape(dy, x.shape)];
  }
  const rule = opDefinition(node.op).gradient;
  if (!rule) throw noGradient(node, "any input");
  return rule;
}

function noGradient(node: GraphNode, input: string): ConfigError {
  return new ConfigError(
    `differentiate: ${node.op}: found a loss that depends on a parameter through ${input}, expected none: ` +
      "this op has no gradient there. Take the parameter out of `wrt`, or compute the value without it.",
  );
}

/** The owned gradients of one differentiation: which exist, and which have been written. */
class ParameterGradients {
  readonly #targets = new Map<number, Tensor>();
  readonly #parameters: readonly Tensor[];
  readonly #written = new Set<number>();
  readonly #flag: Tensor | undefined;

  constructor(graph: Graph, { wrt, gradientOf = (name) => `grad:${name}`, accumulateFlag }: DifferentiateOptions) {
    this.#parameters = wrt;
    this.#flag = accumulateFlag;
    for (const parameter of wrt) {
      if (parameter.region !== "owned" || parameter.dtype !== "f32") {
        throw new ConfigError(
          `differentiate: wrt: '${parameter.name}' is ${parameter.region} ${parameter.dtype}, expected owned f32. ` +
            "Pass parameters.",
        );
      }
      this.#targets.set(parameter.id, graph.owned(gradientOf(parameter.name), parameter.shape));
    }
  }

  has(tensor: Tensor): boolean {
    return this.#targets.has(tensor.id);
  }

  /** Where the next writer of this tensor's gradient writes; fresh for an intermediate. */
  target(tensor: Tensor): GradientTarget {
    const owned = this.#targets.get(tensor.id);
    if (!owned) return { accumulate: 0 };
    if (this.#written.has(tensor.id)) return { tensor: owned, accumulate: 1 };
    this.#written.add(tensor.id);
    return this.#flag ? { tensor: owned, accumulate: 2, flag: this.#flag } : { tensor: owned, accumulate: 0 };
  }

  /** Takes a rule's gradient of a parameter: nothing to do when an *acc* op wrote it in place. */
  write(parameter: Tensor, gradient: Tensor): void {
    if (gradient === this.#targets.get(parameter.id)) return;
    // The column sum of a single row is a copy that can accumulate: for parameters that enter elementwise ops.
    columnSum(reshape(gradient, [1, elements(gradient.shape)]), this.target(parameter));
  }

  finish(): Map<string, Tensor> {
    const missing = this.#parameters.find(({ id }) => !this.#written.has(id));
    if (missing) {
      throw new ConfigError(
        `differentiate: wrt: '${missing.name}' does not reach the loss, expected every parameter to. ` +
          "Leave it out of `wrt`.",
      );
    }
    return new Map(this.#parameters.map(({ id, name }) => [name, this.#targets.get(id)!]));
  }
}
