import {
  adamw,
  differentiate,
  fuse,
  Graph,
  gradNorm,
  linearCrossEntropy,
  matmul,
  plan,
  type Precision,
  type Program,
  reshape,
  type Tensor,
} from "@espalier/graph";
import type { Births, Gate } from "@espalier/growth";
import { random } from "@espalier/core";
import { type ModelConfig, mupRatio, type Parameter, parameters } from "@espalier/spec/model";
import type { OptimizerConfig } from "@espalier/spec/plan";
import { parameterShapes, transformer, type TransformerOutputs } from "./transformer.ts";

/** Sequences and tokens in a sequence of one program. */
export interface BatchShape {
  B: number;
  T: number;
}

/** Runtime input i32 `[B, T]` of programs with documents: where the document of each token begins in its row. */
export const STARTS = "starts";

/** Names of the owned tensors that belong to a parameter. */
export const owned = {
  gradient: (name: string) => `grad:${name}`,
  firstMoment: (name: string) => `m:${name}`,
  secondMoment: (name: string) => `v:${name}`,
  rowBirth: (name: string) => `rowBirth:${name}`,
  columnBirth: (name: string) => `columnBirth:${name}`,
} as const;

interface Traced extends TransformerOutputs {
  graph: Graph;
  shape: BatchShape;
}

function traceModel(config: ModelConfig, shape: BatchShape, gates: readonly Gate[], precision: Precision, { withLengths = false, documents = false } = {}): Traced {
  const graph = new Graph({ precision });
  const tokens = graph.runtime("tokens", [shape.B, shape.T], "i32");
  const lengths = withLengths || documents ? graph.runtime("lengths", [shape.B], "i32") : undefined;
  const starts = documents ? graph.runtime(STARTS, [shape.B, shape.T], "i32") : undefined;
  return { graph, shape, ...transformer(graph, config, { tokens, lengths, starts, gates }) };
}

function crossEntropy({ graph, shape: { B, T }, hidden, head, logitsFactor }: Traced) {
  const C = hidden.shape.at(-1)!;
  const targets = graph.runtime("targets", [B * T], "i32");
  const weights = graph.runtime("weights", [B * T]);
  return linearCrossEntropy(reshape(hidden, [B * T, C]), head, targets, weights, { factor: logitsFactor });
}

/**
 * Forward and backward of one micro-batch. Gradients go to `grad:<parameter>`: overwritten when the runtime input
 * `accumulateFlag` is 0, added to otherwise.
 *
 * Runtime: tokens `[B, T]`, targets `[R]`, weights `[R]` (1 / unmasked tokens of the whole step), accumulateFlag, gates;
 * with `documents`, whose tokens do not see each other's, lengths `[B]` and starts `[B, T]`.
 * Output: loss `[1]`, this micro-batch's share of the step's loss.
 */
export function microStepProgram(config: ModelConfig, shape: BatchShape, gates: readonly Gate[] = [], precision: Precision = "fp32", documents = false): Program {
  return plan(fuse(microStepGraph(config, shape, gates, precision, documents)));
}

/** What `microStepProgram` is planned from; its layers are segments. */
export function microStepGraph(config: ModelConfig, shape: BatchShape, gates: readonly Gate[] = [], precision: Precision = "fp32", documents = false): Graph {
  const traced = traceModel(config, shape, gates, precision, { documents });
  const { graph } = traced;
  const { loss } = crossEntropy(traced);
  differentiate({
    loss,
    wrt: parameterShapes(config).map(([name, size]) => graph.owned(name, size)),
    gradientOf: owned.gradient,
    accumulateFlag: graph.runtime("accumulateFlag", [1], "i32"),
  });
  graph.output("loss", loss);
  return graph;
}

/**
 * Rate and decay factors of a parameter. muP (arXiv:2203.03466, table 3): hidden matrices have rate / w and decay * w,
 * w = C / baseWidth, so that rate * decay, which decoupled decay multiplies, does not change with width.
 */
function parameterGroup(config: ModelConfig, { entry }: Pick<Parameter, "entry">, weightDecay: number) {
  const w = entry.mup === "hidden" ? mupRatio(config) : 1;
  return { rateScale: 1 / w, weightDecay: entry.decay ? weightDecay * w : 0 };
}

/**
 * The norm over all gradients and one AdamW step of every parameter, in place.
 *
 * Runtime: step `[2]` (learning rate, clipping norm), births `[E, 3]` (bias corrections and rate, a row a growth event).
 * Output: norm `[1]`. Birth indices are owned tensors, present once the model has grown.
 *
 * @param parameterSeed  keeps parameters in bf16, rounded stochastically by this seed; step is then `[3]`, with the number of
 *   the step. Absent: fp32
 */
export function optimizerProgram(config: ModelConfig, optimizer: OptimizerConfig, births: Births, parameterSeed?: number): Program {
  const graph = new Graph();
  const numEvents = births.events.length;
  const step = graph.runtime("step", [parameterSeed === undefined ? 2 : 3]);
  const seeds = parameterSeed === undefined ? undefined : random(parameterSeed, "stochastic rounding");
  const table = graph.runtime("births", [numEvents, 3]);
  const shapes = new Map(parameterShapes(config));
  const all = parameters(config);
  const gradient = (name: string): Tensor => graph.owned(owned.gradient(name), shapes.get(name)!);
  const norm = gradNorm(all.map(({ name }) => gradient(name)));
  for (const parameter of all) {
    const { name, rows, columns } = parameter;
    const size = shapes.get(name)!;
    const indices =
      numEvents > 1
        ? {
            rowBirth: graph.owned(owned.rowBirth(name), [rows], "i32"),
            colBirth: graph.owned(owned.columnBirth(name), [columns], "i32"),
          }
        : {};
    adamw(
      {
        parameter: graph.owned(name, size),
        m: graph.owned(owned.firstMoment(name), size),
        v: graph.owned(owned.secondMoment(name), size),
      },
      { gradient: gradient(name), norm, step, births: table, ...indices },
      {
        beta1: optimizer.beta1,
        beta2: optimizer.beta2,
        epsilon: optimizer.epsilon,
        ...parameterGroup(config, parameter, optimizer.weightDecay),
        ...(seeds && { stochasticSeed: 1 + seeds.derive(name).integer(0, 2 ** 32 - 1) }),
      },
    );
  }
  graph.output("norm", norm);
  return plan(fuse(graph));
}

/**
 * Loss of given continuations.
 *
 * Runtime: tokens `[B, T]`, lengths `[B]`, targets `[R]` (below 0: not scored), weights `[R]`, gates; with `documents`
 * starts `[B, T]`.
 * Output: tokenLoss `[R]` in nats, greedy `[R]` (1 where the target is the first choice).
 */
export function evaluationProgram(config: ModelConfig, shape: BatchShape, gates: readonly Gate[] = [], precision: Precision = "fp32", documents = false): Program {
  const traced = traceModel(config, shape, gates, precision, { withLengths: true, documents });
  const { tokenLoss, greedy } = crossEntropy(traced);
  traced.graph.output("tokenLoss", tokenLoss);
  traced.graph.output("greedy", greedy);
  return plan(fuse(traced.graph));
}

/** Logits of every position, for comparing models. Runtime: tokens `[B, T]`, gates. Output: logits `[B, T, V]`. */
export function logitsProgram(config: ModelConfig, shape: BatchShape, gates: readonly Gate[] = [], precision: Precision = "fp32", documents = false): Program {
  const { graph, hidden, head, logitsFactor } = traceModel(config, shape, gates, precision, { documents });
  graph.output("logits", matmul(hidden, head, { transB: true, alpha: logitsFactor }));
  return plan(fuse(graph));
}
