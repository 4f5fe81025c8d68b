import {
  add,
  addBias,
  blend,
  causalAttention,
  embedding,
  gelu,
  geluErf,
  type Graph,
  layerNorm,
  matmul,
  reshape,
  rmsNorm,
  rotary,
  type RotaryOptions,
  scale,
  scaleColumns,
  swiglu,
  type Tensor,
} from "@espalier/graph";
import type { Gate } from "@espalier/growth";
import { hasBias, type ModelConfig, numHeads, parameters } from "@espalier/spec/model";

export interface TransformerInputs {
  /** i32 `[B, T]` */
  tokens: Tensor;
  /** i32 `[B]`: real tokens of each sequence. Absent: all T. */
  lengths?: Tensor;
  /** i32 `[B, T]`, with `lengths`: where the document of each token begins. Absent: at 0. */
  starts?: Tensor;
  /** Gates of the newest growth while they ramp; runtime inputs of their names are declared. */
  gates?: readonly Gate[];
  /** Attention over something else than the sequence itself, such as a key/value cache. */
  attend?: Attend;
  /**
   * i32 `[K]`, with one sequence (B = 1): the tokens whose hidden states are wanted. Behind its keys and values, the last layer
   * runs for these alone: everywhere B, T becomes 1, K.
   */
  wanted?: Tensor;
}

/** Attention of one layer: `q [B, T, N, D]`, `k` and `v [B, T, G, D]`, without positions, to `[B, T, N, D]`. Of the last layer, `q` has the wanted tokens. */
export type Attend = (layer: number, q: Tensor, k: Tensor, v: Tensor) => Tensor;

export interface TransformerOutputs {
  /** Normed hidden states `[B, T, C]`. */
  hidden: Tensor;
  /** `[V, C]`; logits are `logitsFactor * hidden head^T`. */
  head: Tensor;
  logitsFactor: number;
}

/**
 * The transformer of a configuration, both families: pre-norm blocks on a residual stream,
 *
 *     h = embedding(tokens) [+ positions]
 *     h = h + attention(norm(h));  h = h + ffn(norm(h))    (L times)
 *     hidden = norm(h);  logits = factor * hidden head^T
 *
 * With `parallelResidual` a block is `h + attention(norm(h)) + ffn(norm'(h))`. FLM: LayerNorm, biases, GELU. Llama:
 * RMSNorm, SwiGLU, biases only where the configuration says so. Queries n of a key/value head g are rows
 * (g, n) of the query projection. Growth gates stand where the layout table's gate points say; without gates this is
 * the plain model.
 *
 * @param graph parameters are declared in it as owned tensors by name: matrices `[rows, columns]`, vectors `[rows]`
 * @returns symbolic tensors; nothing is computed
 */
export function transformer(graph: Graph, config: ModelConfig, inputs: TransformerInputs): TransformerOutputs {
  const { multipliers, numLayers } = config;
  const trace = new Trace(graph, config, inputs.gates ?? []);
  const attend = inputs.attend ?? selfAttention(graph, config, inputs);

  let h = embedding(inputs.tokens, trace.parameter("embedding.weight"), { factor: multipliers.embedding });
  if (config.position.kind === "learned") {
    h = add(h, embedding(graph.runtime(POSITIONS, inputs.tokens.shape, "i32"), trace.parameter("position.weight")));
  }
  h = trace.masked(h);
  for (let layer = 0; layer < numLayers; layer++) {
    const block = `layers.${layer}`;
    const select = layer === numLayers - 1 && inputs.wanted ? rowsOf(inputs.wanted) : (x: Tensor) => x;
    h = graph.segment(block, () => {
      const normed = trace.norm(h, `${block}.attention.norm`, "attention");
      const before = select(h);
      let out = add(before, trace.write(attention(trace, block, normed, select(normed), (q, k, v) => attend(layer, q, k, v))));
      const read = config.parallelResidual ? before : out;
      out = add(out, trace.write(ffn(trace, block, trace.norm(read, `${block}.ffn.norm`, "ffn"))));
      const m = trace.gate(`gate.layer.${layer}`);
      return m ? blend(before, out, m) : out;
    });
  }
  return {
    hidden: trace.norm(h, "final.norm", "final"),
    head: trace.parameter(config.tiedHead ? "embedding.weight" : "head.weight"),
    logitsFactor: multipliers.logits,
  };
}

/** Rows of `x [1, T, C]` by their numbers `[K]`: `[1, K, C]`. Looking up rows of a table is what an embedding does. */
const rowsOf = (numbers: Tensor) => (x: Tensor) => {
  const table = reshape(x, x.shape.slice(1));
  return reshape(embedding(numbers, table), [1, numbers.shape[0]!, table.shape[1]!]);
};

/** Projections around attention, keys and values of `x [B, T, C]`, queries of `asking`, in whose shape it ends. */
function attention(trace: Trace, block: string, x: Tensor, asking: Tensor, attend: (q: Tensor, k: Tensor, v: Tensor) => Tensor): Tensor {
  const { config } = trace;
  const { numKvHeads, headDim } = config;
  const heads = (of: Tensor, name: string, count: number, gate: string) =>
    reshape(trace.gated(trace.project(of, `${block}.attention.${name}`), gate), [...of.shape.slice(0, 2), count, headDim]);
  const q = heads(asking, "query", numHeads(config), "gate.query");
  const context = attend(q, heads(x, "key", numKvHeads, "gate.keyValue"), heads(x, "value", numKvHeads, "gate.keyValue"));
  return trace.project(reshape(context, [...asking.shape.slice(0, 2), numHeads(config) * headDim]), `${block}.attention.output`);
}

/**
 * Causal attention, with rotary positions 0, 1, ... unless they are learned. They need not begin again with each document:
 * products of turned queries and keys depend on their distance alone.
 */
function selfAttention(graph: Graph, config: ModelConfig, { lengths, starts }: TransformerInputs): Attend {
  const rotation = rotaryOptions(graph, config);
  const turned = (x: Tensor, side: "query" | "key") => (rotation ? rotary(x, { ...rotation, side }) : x);
  return (_layer, q, k, v) =>
    causalAttention(turned(q, "query"), turned(k, "key"), v, { scale: config.multipliers.attention, lengths, starts });
}

/** How positions of a configuration turn queries and keys; its own frequencies become a runtime input. Learned: not. */
export function rotaryOptions(graph: Graph, { position }: ModelConfig): Omit<RotaryOptions, "side"> | undefined {
  const { frequencies, kind, ...rotation } = position;
  if (kind === "learned") return undefined;
  return { ...rotation, kind, frequencies: frequencies && graph.runtime(FREQUENCIES, [frequencies.length]) };
}

/** The MLP: `x [B, T, C] -> [B, T, H] -> [B, T, C]`. */
function ffn(trace: Trace, block: string, x: Tensor): Tensor {
  const up = trace.gated(trace.project(x, `${block}.ffn.up`), "gate.ffn");
  const { family, gelu: form } = trace.config;
  const hidden = family === "llama" ? swiglu(trace.project(x, `${block}.ffn.gate`), up) : form === "erf" ? geluErf(up) : gelu(up);
  return trace.project(hidden, `${block}.ffn.down`);
}

/** What every part of the trace needs: parameters by name, gates by name, the family's norm and bias. */
class Trace {
  readonly config: ModelConfig;
  readonly #graph: Graph;
  readonly #shapes: ReadonlyMap<string, readonly number[]>;
  readonly #gates: ReadonlyMap<string, Tensor>;

  constructor(graph: Graph, config: ModelConfig, gates: readonly Gate[]) {
    this.config = config;
    this.#graph = graph;
    this.#shapes = new Map(parameterShapes(config));
    this.#gates = new Map(gates.map(({ name, length }) => [name, graph.runtime(name, [length])]));
  }

  parameter(name: string): Tensor {
    return this.#graph.owned(name, this.#shapes.get(name)!);
  }

  gate(name: string): Tensor | undefined {
    return this.#gates.get(name);
  }

  /** `x W^T + b` */
  project(x: Tensor, name: string): Tensor {
    const y = matmul(x, this.parameter(`${name}.weight`), { transB: true });
    const part = name.includes(".ffn.") ? "ffn" : "attention";
    return hasBias(this.config, part) ? addBias(y, this.parameter(`${name}.bias`)) : y;
  }

  norm(x: Tensor, name: string, kind: keyof ModelConfig["normEpsilon"]): Tensor {
    const options = { epsilon: this.config.normEpsilon[kind], channelWeights: this.gate("gate.residual") };
    const gain = this.parameter(`${name}.gain`);
    return this.config.family === "flm" ? layerNorm(x, gain, this.parameter(`${name}.bias`), options) : rmsNorm(x, gain, options);
  }

  gated(x: Tensor, name: string): Tensor {
    const gate = this.gate(name);
    return gate ? scaleColumns(x, gate) : x;
  }

  /** New channels of the residual stream are written through their gate. */
  masked(x: Tensor): Tensor {
    return this.gated(x, "gate.residual");
  }

  /** What a block adds to the residual stream. */
  write(y: Tensor): Tensor {
    return this.masked(scale(y, this.config.multipliers.residual));
  }
}

/** Runtime input that holds a configuration's own rotary frequencies. */
export const FREQUENCIES = "rotary.frequencies";
/** Runtime input i32 `[B, T]`: the row of the learned position table of each token. */
export const POSITIONS = "positions";

/** Every parameter's name with the shape that the kernels see. */
export function parameterShapes(config: ModelConfig): [string, readonly number[]][] {
  return parameters(config).map(({ name, rows, columns, entry }) => [
    name,
    entry.axes.length > entry.numRowAxes ? [rows, columns] : [rows],
  ]);
}
