import { random } from "@espalier/core";
import { type ModelConfig, numHeads, parameters } from "@espalier/spec/model";
import {
  type Tape,
  type Value,
  attend,
  backward,
  combine,
  crossEntropy,
  linear,
  lookUp,
  map,
  multiply,
  norm,
  rotate,
  value,
} from "./tape.ts";

/** Parameters or gradients in fp64, by name. */
export type DoubleTree = Record<string, Float64Array>;

export interface DecoderResult {
  /** [T, V] */
  logits: Float64Array;
  loss: number;
  gradients: DoubleTree;
}

/** Random parameters with nothing left at a special value: gains and biases are random too. */
export function randomParameters(config: ModelConfig, seed: number): DoubleTree {
  return Object.fromEntries(
    parameters(config).map(({ name, entry, rows, columns }) => {
      const draw = random(seed, "test", name);
      const centre = entry.init.kind === "constant" ? entry.init.value : 0;
      const std = entry.init.kind === "constant" ? 0.3 : 0.6;
      return [name, Float64Array.from({ length: rows * columns }, (_, i) => centre + std * draw.normal(i))];
    }),
  );
}

/**
 * The pre-norm decoder of both families in fp64: logits, mean next-token loss and all gradients for one sequence.
 *
 * @param gates by the names of `gateValues`
 */
export function runDecoder(
  config: ModelConfig,
  tree: DoubleTree,
  tokens: readonly number[],
  gates: Readonly<Record<string, ArrayLike<number>>> = {},
): DecoderResult {
  const tape: Tape = { steps: [] };
  const values = Object.fromEntries(Object.entries(tree).map(([name, data]) => [name, value(data)]));
  const { residualDim: C, ffnDim: H, headDim: D, numKvHeads: G, multipliers } = config;
  const T = tokens.length - 1;
  const N = numHeads(config);
  const gate = (name: string) => gates[`gate.${name}`] ?? 1;
  const write = (x: Value) => combine(tape, x, gate("residual"));
  const gated = (x: Value, name: string) => (gates[`gate.${name}`] ? combine(tape, x, gate(name)) : x);
  const decay = (side: number) => (i: number) => {
    const { kind, gamma, scaleBase } = config.position;
    return kind === "xpos" ? (((2 * i) / D + gamma) / (1 + gamma)) ** (side / scaleBase) : 1;
  };
  const frequency = (i: number) => config.position.frequencies?.[i] ?? config.position.base ** ((-2 * i) / D);

  let h = write(lookUp(tape, values["embedding.weight"]!, tokens.slice(0, T), C, multipliers.embedding));
  for (let layer = 0; layer < config.numLayers; layer++) {
    const own = (name: string) => values[`layers.${layer}.${name}`];
    const project = (x: Value, name: string, K: number) =>
      linear(tape, x, own(`${name}.weight`)!, own(`${name}.bias`), K);
    const normed = (x: Value, name: "attention" | "ffn") =>
      norm(tape, x, own(`${name}.norm.gain`)!, own(`${name}.norm.bias`), config.normEpsilon[name], gate("residual"));
    const addTo = (x: Value, branch: Value) => combine(tape, x, 1, write(branch), multipliers.residual);

    const a = normed(h, "attention");
    const q = gated(project(a, "attention.query", C), "query");
    const k = gated(project(a, "attention.key", C), "keyValue");
    const v = gated(project(a, "attention.value", C), "keyValue");
    const turned = [rotate(tape, q, T, D, frequency, decay(1)), rotate(tape, k, T, D, frequency, decay(-1))] as const;
    const context = attend(tape, turned[0], turned[1], v, T, N, G, D, multipliers.attention);
    const middle = addTo(h, project(context, "attention.output", N * D));

    const f = normed(middle, "ffn");
    const up = gated(project(f, "ffn.up", C), "ffn");
    const hidden =
      config.family === "flm"
        ? map(tape, up, gelu, geluSlope)
        : multiply(tape, map(tape, project(f, "ffn.gate", C), silu, siluSlope), up);
    const out = addTo(middle, project(hidden, "ffn.down", H));
    const m = gates[`gate.layer.${layer}`]?.[0];
    h = m === undefined ? out : combine(tape, h, 1 - m, out, m);
  }
  const final = norm(
    tape,
    h,
    values["final.norm.gain"]!,
    values["final.norm.bias"],
    config.normEpsilon.final,
    gate("residual"),
  );
  const head = values[config.tiedHead ? "embedding.weight" : "head.weight"]!;
  const logits = linear(tape, final, head, undefined, C, multipliers.logits);
  const loss = crossEntropy(tape, logits, tokens.slice(1));
  backward(tape, loss);
  return {
    logits: logits.data,
    loss: loss.data[0]!,
    gradients: Object.fromEntries(Object.entries(values).map(([name, { gradient }]) => [name, gradient])),
  };
}

const GELU = Math.sqrt(2 / Math.PI);
const gelu = (x: number) => 0.5 * x * (1 + Math.tanh(GELU * (x + 0.044715 * x ** 3)));
const geluSlope = (x: number) => {
  const t = Math.tanh(GELU * (x + 0.044715 * x ** 3));
  return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * GELU * (1 + 3 * 0.044715 * x * x);
};
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const silu = (x: number) => x * sigmoid(x);
const siluSlope = (x: number) => sigmoid(x) * (1 + x * (1 - sigmoid(x)));

/** max |a - b| / max |a| */
export function relativeDifference(a: Float64Array, b: Float64Array): number {
  let [largest, difference] = [0, 0];
  a.forEach((x, i) => {
    largest = Math.max(largest, Math.abs(x));
    difference = Math.max(difference, Math.abs(x - b[i]!));
  });
  return difference / largest;
}
