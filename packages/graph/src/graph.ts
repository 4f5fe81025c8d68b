import { ConfigError, ShapeError } from "@espalier/core";
import { precisions, type DType, type GraphData, type GraphNode, type Precision, type Region, type Segment, type TensorInfo } from "./types.ts";
import { elements, showShape } from "./shapes.ts";

/** A symbolic value: shape and dtype are known while tracing, numbers only when a program runs. */
export interface Tensor {
  readonly graph: Graph;
  readonly id: number;
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly region: Region;
  readonly name: string;
}

export interface GraphOptions {
  /** What products recorded without a precision of their own round their factors to. Default: `fp32`, as they are. */
  precision?: Precision;
}

/**
 * A computation being traced. It owns the list of nodes; op functions such as `matmul` append to it through their
 * arguments, and nothing is computed.
 */
export class Graph implements GraphData {
  readonly precision: Precision;
  readonly #tensors: (TensorInfo & Tensor)[] = [];
  readonly #nodes: GraphNode[] = [];
  readonly #byName = new Map<string, Tensor>();
  readonly #segments: Segment[] = [];

  /** @throws {ConfigError} for an unknown precision */
  constructor({ precision = "fp32" }: GraphOptions = {}) {
    if (!precisions.includes(precision)) {
      throw new ConfigError(
        `graph: precision: is "${String(precision)}", expected ${precisions.join(" or ")}. Correct the name.`,
      );
    }
    this.precision = precision;
  }

  get tensors(): readonly TensorInfo[] {
    return this.#tensors;
  }

  get nodes(): readonly GraphNode[] {
    return this.#nodes;
  }

  get segments(): readonly Segment[] {
    return this.#segments;
  }

  /**
   * Traces a part of the computation that may be computed again in the backward pass instead of being kept, such as a
   * layer. Segments do not overlap.
   *
   * @returns what `trace` returns
   */
  segment<T>(name: string, trace: () => T): T {
    const first = this.#nodes.length;
    const result = trace();
    this.#segments.push({ name, first, end: this.#nodes.length });
    return result;
  }

  /**
   * A value that the host sets before each run: tokens, targets, gates, flags, the learning rate.
   *
   * @throws {ConfigError} when the name is taken by a tensor of another kind, shape or dtype
   */
  runtime(name: string, shape: readonly number[], dtype: DType = "f32"): Tensor {
    return this.#declare("runtime", name, shape, dtype);
  }

  /**
   * A value that lives across runs and is bound by name: a parameter, moment, gradient or birth index. Declaring the
   * same name again with the same shape gives the same tensor, so that a tied block may be named where it is used.
   *
   * @throws {ConfigError} when the name is taken by a tensor of another kind, shape or dtype
   */
  owned(name: string, shape: readonly number[], dtype: DType = "f32"): Tensor {
    return this.#declare("owned", name, shape, dtype);
  }

  /**
   * Marks an intermediate as a result that is copied back to the host after each run.
   *
   * @throws {ConfigError} when the tensor is not an intermediate, or the name is taken
   */
  output(name: string, tensor: Tensor): void {
    const own = this.#ownTensor("output", tensor);
    if (own.region !== "arena") {
      throw new ConfigError(
        `graph.output: ${name}: '${own.name}' is of region ${own.region}, expected an intermediate. ` +
          "Owned and runtime tensors are read where they are; an output has one name.",
      );
    }
    this.#rename(own, name);
    own.region = "output";
  }

  /**
   * Names an intermediate, so that `plan(graph, { keep: [name] })` can preserve it. Returns the tensor.
   *
   * @throws {ConfigError} when the name is taken
   */
  label(name: string, tensor: Tensor): Tensor {
    this.#rename(this.#ownTensor("label", tensor), name);
    return tensor;
  }

  /** The tensor of a name, declared, labelled or given by default (`matmul.7`). */
  find(name: string): Tensor | undefined {
    return this.#byName.get(name);
  }

  tensor(id: number): Tensor {
    return this.#tensors[id];
  }

  /**
   * Appends a node. `into` holds, per output, the owned tensor that is written in place of a new one.
   * Op functions call it through `record`, which infers the shapes.
   */
  append(
    node: Omit<GraphNode, "outputs">,
    types: readonly { shape: readonly number[]; dtype: DType }[],
    into: readonly (Tensor | undefined)[] = [],
  ): Tensor[] {
    const base = `${node.op}.${this.#nodes.length}`;
    const outputs = types.map((type, i) => {
      const target = into[i];
      if (!target) return this.#add("arena", i === 0 ? base : `${base}.${i}`, type.shape, type.dtype);
      if (elements(target.shape) !== elements(type.shape) || target.dtype !== type.dtype) {
        throw new ShapeError(
          `${node.op}: output ${i}: '${target.name}' is ${target.dtype} ${showShape(target.shape)}, ` +
            `expected ${type.dtype} ${showShape(type.shape)}. Write into a tensor of the same size.`,
        );
      }
      return this.#ownTensor(node.op, target);
    });
    this.#nodes.push({ ...node, outputs: outputs.map(({ id }) => id) });
    return outputs;
  }

  #declare(region: "runtime" | "owned", name: string, shape: readonly number[], dtype: DType): Tensor {
    if (!shape.every((size) => Number.isInteger(size) && size > 0)) {
      throw new ShapeError(
        `graph.${region}: ${name}: shape is ${showShape(shape)}, expected positive integers. Correct the shape.`,
      );
    }
    const found = this.#byName.get(name);
    if (!found) return this.#add(region, name, [...shape], dtype);
    if (found.region === region && found.dtype === dtype && showShape(found.shape) === showShape(shape)) return found;
    throw new ConfigError(
      `graph.${region}: ${name}: already declared as ${found.region} ${found.dtype} ${showShape(found.shape)}, ` +
        `now ${region} ${dtype} ${showShape(shape)}. Use another name.`,
    );
  }

  #add(region: Region, name: string, shape: readonly number[], dtype: DType): Tensor {
    const tensor = { graph: this, id: this.#tensors.length, shape, dtype, region, name };
    // Enumerable only where it is data: a graph can be printed or cloned without its builder.
    Object.defineProperty(tensor, "graph", { enumerable: false });
    this.#tensors.push(tensor);
    this.#byName.set(name, tensor);
    return tensor;
  }

  #ownTensor(where: string, tensor: Tensor): TensorInfo & Tensor {
    if (tensor.graph !== this) {
      throw new ConfigError(
        `${where}: '${tensor.name}' belongs to another graph, expected one of this graph. Trace one model in one graph.`,
      );
    }
    return this.#tensors[tensor.id];
  }

  #rename(tensor: TensorInfo & Tensor, name: string): void {
    const found = this.#byName.get(name);
    if (found && found !== tensor) {
      throw new ConfigError(
        `graph: name '${name}' is taken by a tensor of region ${found.region}, expected a new one. Use another name.`,
      );
    }
    this.#byName.delete(tensor.name);
    tensor.name = name;
    this.#byName.set(name, tensor);
  }
}
