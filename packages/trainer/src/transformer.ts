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
}

/** Attention of one layer: `q [B, T, N, D]`, `k` and `v [B, T, G, D]`, without positions, to `[B, T, N, D]`. */
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
    h = graph.segment(block, () => {
      const context = (x: Tensor) => attention(trace, block, x, (q, k, v) => attend(layer, q, k, v));
      let out = add(h, trace.write(context(trace.norm(h, `${block}.attention.norm`, "attention"))));
      const read = config.parallelResidual ? h : out;
      out = add(out, trace.write(ffn(trace, block, trace.norm(read, `${block}.ffn.norm`, "ffn"))));
      const m = trace.gate(`gate.layer.${layer}`);
      return m ? blend(h, out, m) : out;
    });
  }
  return {
    hidden: trace.norm(h, "final.norm", "final"),
    head: trace.parameter(config.tiedHead ? "embedding.weight" : "head.weight"),
    logitsFactor: multipliers.logits,
  };
}

/** Projections around attention: `x [B, T, C] -> [B, T, C]`. */
function attention(trace: Trace, block: string, x: Tensor, attend: (q: Tensor, k: Tensor, v: Tensor) => Tensor): Tensor {
  const { config } = trace;
  const { numKvHeads, headDim } = config;
  const [B, T] = x.shape as [number, number];
  const heads = (name: string, count: number, gate: string) =>
    reshape(trace.gated(trace.project(x, `${block}.attention.${name}`), gate), [B, T, count, headDim]);
  const q = heads("query", numHeads(config), "gate.query");
  const context = attend(q, heads("key", numKvHeads, "gate.keyValue"), heads("value", numKvHeads, "gate.keyValue"));
  return trace.project(reshape(context, [B, T, numHeads(config) * headDim]), `${block}.attention.output`);
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
