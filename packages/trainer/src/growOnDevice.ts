import { type DeviceBuffer, type Executor, Graph, type LoadedProgram, plan, recordOp, type Tensor } from "@espalier/graph";
import { type Births, type GrowthMap, type GrowthTerm, momentTerms, parameterTerms, type TensorGrowth } from "@espalier/growth";
import { DeviceModel } from "./deviceModel.ts";
import { owned } from "./programs.ts";

/** In fp32, whatever the executor's precision. */
const product = { transA: 0, transB: 0, alpha: 1, accumulate: 0, bias: 0, gelu: 0, gate: 0, residual: 0, savePre: 0, bf16: 0 };

/** What decides the program of one term. */
interface Shape extends Pick<GrowthTerm, "sourceRows" | "sourceColumns" | "factor"> {
  rows: number;
  columns: number;
  hasRows: boolean;
  hasColumns: boolean;
  /** The first term overwrites the target, later ones add to it. */
  adds: boolean;
  withFresh: boolean;
}

/** `target (+)= factor * rows source columns^T (+ fresh)`, over owned tensors of these names. */
function traceTerm(shape: Shape): Graph {
  const { rows, columns, sourceRows, sourceColumns, factor, hasRows, hasColumns, adds, withFresh } = shape;
  const graph = new Graph();
  const target = graph.owned("target", [rows, columns]);
  let x: Tensor = graph.owned("source", [sourceRows, sourceColumns]);
  if (hasRows && hasColumns) [x] = recordOp("matmul", [graph.owned("rows", [rows, sourceRows]), x], { attributes: product }) as [Tensor];
  if (hasRows || hasColumns) {
    const factors = hasColumns ? [x, graph.owned("columns", [columns, sourceColumns])] : [graph.owned("rows", [rows, sourceRows]), x];
    const fresh = withFresh ? [graph.owned("fresh", [rows, columns])] : [];
    const attributes = { ...product, transB: hasColumns ? 1 : 0, alpha: factor, accumulate: adds ? 1 : 0, residual: withFresh ? 1 : 0 };
    recordOp("matmul", [...factors, ...fresh], { attributes, into: [target] });
    return graph;
  }
  const others = [...(adds ? [target] : []), ...(withFresh ? [graph.owned("fresh", [rows, columns])] : [])];
  const last = (op: string, inputs: Tensor[], attributes = {}) => recordOp(op, inputs, { attributes, into: [target] });
  if (others.length === 0) last("scale", [x], { factor });
  others.forEach((other, i) => {
    if (i === 0) [x] = recordOp("scale", [x], { attributes: { factor } }) as [Tensor];
    if (i === others.length - 1) last("add", [x, other]);
    else [x] = recordOp("add", [x, other]) as [Tensor];
  });
  return graph;
}

/** Runs terms over buffers of one executor; programs and matrices are kept for the tensors that share them. */
class Grower {
  readonly #executor: Executor;
  readonly #programs = new Map<string, LoadedProgram>();
  readonly #matrices = new Map<Float32Array, DeviceBuffer>();

  constructor(executor: Executor) {
    this.#executor = executor;
  }

  async write(growth: TensorGrowth, target: DeviceBuffer, sourceOf: (name: string) => DeviceBuffer): Promise<void> {
    const { rows, columns, terms, fresh } = growth;
    if (terms.length === 0) {
      if (fresh) target.write(fresh);
      return;
    }
    const freshBuffer = fresh && this.#uploaded(fresh);
    for (const [i, term] of terms.entries()) {
      const withFresh = i === 0 && freshBuffer !== undefined;
      const { sourceRows, sourceColumns, factor } = term;
      const program = this.#program({
        rows, columns, sourceRows, sourceColumns, factor, hasRows: !!term.rows, hasColumns: !!term.columns, adds: i > 0, withFresh,
      });
      program.bind("target", target);
      program.bind("source", sourceOf(term.from));
      for (const side of ["rows", "columns"] as const) if (term[side]) program.bind(side, this.#matrix(term[side]));
      if (withFresh) program.bind("fresh", freshBuffer);
      await program.run(new Uint8Array(0), new Uint8Array(0));
    }
    freshBuffer?.free();
  }

  free(): void {
    for (const program of this.#programs.values()) program.free();
    for (const buffer of this.#matrices.values()) buffer.free();
  }

  #program(shape: Shape): LoadedProgram {
    const key = JSON.stringify(shape);
    const program = this.#programs.get(key) ?? this.#executor.load(plan(traceTerm(shape)));
    this.#programs.set(key, program);
    return program;
  }

  #uploaded(values: Float32Array): DeviceBuffer {
    const buffer = this.#executor.allocate(values.byteLength);
    buffer.write(values);
    return buffer;
  }

  #matrix(values: Float32Array): DeviceBuffer {
    const buffer = this.#matrices.get(values) ?? this.#uploaded(values);
    this.#matrices.set(values, buffer);
    return buffer;
  }
}

/**
 * The grown model, made where the source is: every tensor is a product with the axis maps as matrices, plus what stands in
 * new places, which alone is sent there. Nothing is read back. Values are those of `applyGrowth` and `growMoments` up to
 * fp32 rounding, and the same bits where units are copied and not mixed.
 *
 * @param model the source; unchanged, and to be freed by its owner
 */
export async function growOnDevice(model: DeviceModel, map: GrowthMap, births: Births): Promise<DeviceModel> {
  const state = { config: map.target, parameters: {}, births, step: model.step };
  const target = new DeviceModel(model.executor, state, { precision: model.precision, unwritten: true });
  const grower = new Grower(model.executor);
  try {
    for (const growth of parameterTerms(map)) await grower.write(growth, target.buffer(growth.name), (name) => model.buffer(name));
    for (const growth of momentTerms(map)) {
      for (const moment of [owned.firstMoment, owned.secondMoment]) {
        await grower.write(growth, target.buffer(moment(growth.name)), (name) => model.buffer(moment(name)));
      }
    }
    return target;
  } catch (error) {
    target.free();
    throw error;
  } finally {
    grower.free();
  }
}
