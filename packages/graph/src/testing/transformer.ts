import { random } from "@espalier/core";
import { differentiate } from "../differentiate.ts";
import { Graph, type Tensor } from "../graph.ts";
import { add } from "../ops/add.ts";
import { addBias } from "../ops/addBias.ts";
import { blend } from "../ops/blend.ts";
import { causalAttention } from "../ops/causalAttention.ts";
import { embedding } from "../ops/embedding.ts";
import { gelu } from "../ops/gelu.ts";
import { layerNorm } from "../ops/layerNorm.ts";
import { linearCrossEntropy } from "../ops/linearCrossEntropy.ts";
import { matmul } from "../ops/matmul.ts";
import { reshape } from "../ops/reshape.ts";
import { rmsNorm } from "../ops/rmsNorm.ts";
import { rotary } from "../ops/rotary.ts";
import { scaleColumns } from "../ops/scaleColumns.ts";
import { swiglu } from "../ops/swiglu.ts";
import type { Traced } from "./gradients.ts";
import type { NamedValues } from "./run.ts";

export interface ToyShape {
  family: "flm" | "llama";
  B: number;
  T: number;
  C: number;
  H: number;
  V: number;
  N: number;
  G: number;
  L: number;
  /** Growth gates at the places where the models have them. */
  gated?: boolean;
}

export const toy: ToyShape = { family: "flm", B: 2, T: 4, C: 4, H: 6, V: 7, N: 2, G: 2, L: 2 };

/**
 * A transformer of either family on symbolic tensors, with every op that training one needs: `flm` has LayerNorm,
 * biases, GELU, xPos and a tied head; `llama` has RMSNorm, SwiGLU, grouped heads and a head of its own.
 */
export function transformer(graph: Graph, shape: ToyShape): Traced {
  const { family, B, T, C, H, V, N, G, L, gated } = shape;
  const D = C / N;
  const flm = family === "flm";
  const wrt = new Set<Tensor>();
  const parameter = (name: string, ...size: number[]) => {
    const tensor = graph.owned(name, size);
    wrt.add(tensor);
    return tensor;
  };
  const project = (x: Tensor, name: string, out: number) => {
    const y = matmul(x, parameter(`${name}.weight`, out, x.shape.at(-1)!), { transB: true });
    return flm ? addBias(y, parameter(`${name}.bias`, out)) : y;
  };
  const channelWeights = gated ? graph.runtime("channels", [C]) : undefined;
  const norm = (x: Tensor, name: string) => {
    const gain = parameter(`${name}.gain`, C);
    return flm
      ? layerNorm(x, gain, parameter(`${name}.bias`, C), { channelWeights })
      : rmsNorm(x, gain, { channelWeights });
  };
  const write = (x: Tensor) => (channelWeights ? scaleColumns(x, channelWeights) : x);

  const attention = (x: Tensor, name: string) => {
    const heads = (what: string, count: number) => reshape(project(x, `${name}.${what}`, count * D), [B, T, count, D]);
    const position = { kind: flm ? "xpos" : "rope", scaleBase: 8, centre: 1 } as const;
    const q = rotary(heads("query", N), { ...position, side: "query" });
    const k = rotary(heads("key", G), { ...position, side: "key" });
    const y = causalAttention(q, k, heads("value", G), { scale: 1 / Math.sqrt(D) });
    return write(project(reshape(y, [B, T, N * D]), `${name}.output`, C));
  };
  const mlp = (x: Tensor, name: string) => {
    const up = project(x, `${name}.up`, H);
    const gatedUp = gated ? scaleColumns(up, graph.runtime("units", [H])) : up;
    const hidden = flm ? gelu(gatedUp) : swiglu(project(x, `${name}.gate`, H), gatedUp);
    return write(project(hidden, `${name}.down`, C));
  };

  const table = parameter("embedding", V, C);
  let h = write(embedding(graph.runtime("tokens", [B, T], "i32"), table, { factor: 1.5 }));
  for (let layer = 0; layer < L; layer++) {
    const before = h;
    h = add(h, attention(norm(h, `${layer}.attention.norm`), `${layer}.attention`));
    h = add(h, mlp(norm(h, `${layer}.ffn.norm`), `${layer}.ffn`));
    if (gated && layer === L - 1) h = blend(before, h, graph.runtime("layer", [1]));
  }
  const head = flm ? table : parameter("head", V, C);
  const targets = graph.runtime("targets", [B * T], "i32");
  const weights = graph.runtime("weights", [B * T]);
  const { loss } = linearCrossEntropy(norm(h, "final.norm"), head, targets, weights, { factor: 0.75 });
  return { loss, wrt: [...wrt] };
}

/** Differentiated, with the loss as output. */
export function trainingGraph(shape: ToyShape, accumulate = false): Graph {
  const graph = new Graph();
  const { loss, wrt } = transformer(graph, shape);
  graph.output("loss", loss);
  differentiate({ loss, wrt, ...(accumulate ? { accumulateFlag: graph.runtime("accumulateFlag", [1], "i32") } : {}) });
  return graph;
}

/** Tokens, targets (every fifth missing), weights and gates. */
export function transformerInputs({ B, T, C, H, V, gated }: ToyShape, seed = 1): NamedValues {
  const stream = random(seed, "transformerInputs");
  const integers = (name: string) => Array.from({ length: B * T }, (_, i) => stream.derive(name).integer(i, V));
  return {
    tokens: integers("tokens"),
    targets: integers("targets").map((target, i) => (i % 5 === 4 ? -1 : target)),
    weights: 1 / (B * T),
    ...(gated
      ? {
          channels: Array.from({ length: C }, (_, c) => (c < C / 2 ? 1 : 0.25)),
          units: Array.from({ length: H }, (_, h) => (h < H / 2 ? 1 : 0.5)),
          layer: 0.375,
        }
      : {}),
  };
}
