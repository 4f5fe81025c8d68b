import { ConfigError } from "@espalier/core";
import { z } from "zod";
import { refusal, refusals } from "./refusal.ts";

const count = z.int().positive();

/**
 * Position encoding. Rotary: the angle of pair i at position n is `n * base^(-2i/D)`, or `n * frequencies[i]`. `learned`:
 * a table `[T, C]` is added to the embedding, and the other fields mean nothing.
 */
const positionSchema = z.strictObject({
  kind: z.enum(["rope", "xpos", "learned"]),
  base: z.number().positive().default(10000),
  /** xPos only: query scale `zeta_i^(p/scaleBase)`, key scale its inverse, `zeta_i = (2i/D + gamma)/(1 + gamma)`. */
  scaleBase: z.number().positive().default(512),
  gamma: z.number().positive().default(0.4),
  /** xPos only: p = n - centre. A configuration constant, never the running length. */
  centre: z.int().nonnegative().default(0),
  /** One frequency a rotary pair where they differ from the formula: grown head sizes, scaled contexts, 0 for a pair that does not turn. */
  frequencies: z.array(z.number()).optional(),
});

/** Every multiplier that the configuration derives, as an explicit scalar (see `defaultMultipliers`). */
const multipliersSchema = z.strictObject({
  /** Embedding output is multiplied by this. */
  embedding: z.number(),
  /** Hidden state before the head is multiplied by this. */
  logits: z.number(),
  /** Query-key products are multiplied by this; `1/sqrt(headDim)` at the base size. */
  attention: z.number(),
  /** Each block write into the residual stream is multiplied by this. */
  residual: z.number(),
});

export const modelConfigSchema = z.strictObject({
  /** `flm`: LayerNorm, biases, tanh GELU. `llama`: RMSNorm, no biases, SwiGLU. Both pre-norm. */
  family: z.enum(["flm", "llama"]),
  /** V: rows of the embedding. */
  vocabSize: count,
  /** T: tokens in a training sequence. */
  seqLen: count,
  /** L */
  numLayers: z.int().nonnegative(),
  /** C: size of the residual stream. */
  residualDim: count,
  /** H: inner size of the MLP. */
  ffnDim: count,
  /** G: key/value heads. */
  numKvHeads: count,
  /** Query heads that share one key/value head; N = numKvHeads * groupSize. */
  groupSize: count.default(1),
  /** D: query/key and value size of a head; even, as rotary pairs need. */
  headDim: count.refine((d) => d % 2 === 0, "must be even: rotary position encoding works on pairs"),
  position: positionSchema,
  tiedHead: z.boolean(),
  /** FLM only. `erf`: GELU by the normal distribution function. Absent: its tanh form. */
  gelu: z.literal("erf").optional(),
  /** Attention and MLP both read the block's input, each through its own norm: `h + attention(norm(h)) + ffn(norm'(h))`. */
  parallelResidual: z.literal(true).optional(),
  /** Llama only. Query, key, value and attention output have biases. */
  attentionBias: z.literal(true).optional(),
  /** Llama only. The MLP's projections have biases. */
  ffnBias: z.literal(true).optional(),
  /** Added to the variance, one constant per norm class. */
  normEpsilon: z.strictObject({ attention: z.number(), ffn: z.number(), final: z.number() }),
  multipliers: multipliersSchema,
  /** muP: learning rate and initialisation of matrix-like parameters scale with `residualDim / baseWidth`; null: standard. */
  mup: z.strictObject({ baseWidth: count }).nullable(),
  /** Standard deviation of initial weights at the base width. */
  initStd: z.number().positive(),
}).refine(({ family, attentionBias, ffnBias }) => family === "llama" || !(attentionBias || ffnBias), {
  path: ["attentionBias"],
  message: "is for the llama family: flm has all biases",
}).refine(({ family, gelu }) => family === "flm" || !gelu, {
  path: ["gelu"],
  message: "is for the flm family: llama has SwiGLU",
}).refine(({ position, headDim }) => position.frequencies === undefined || position.frequencies.length === headDim / 2, {
  path: ["position", "frequencies"],
  message: "must have one frequency a rotary pair, headDim / 2",
});

/** The complete description of one transformer. Everything that depends on shape is a function of it. */
export type ModelConfig = z.infer<typeof modelConfigSchema>;
export type PositionConfig = z.infer<typeof positionSchema>;
export type Multipliers = z.infer<typeof multipliersSchema>;
export type ModelFamily = ModelConfig["family"];

/** What decides which parameters there are, besides the sizes. */
export type ModelKind = Pick<ModelConfig, "family" | "tiedHead" | "attentionBias" | "ffnBias"> & { position?: Pick<PositionConfig, "kind"> };

/** Whether the projections of a block's part have biases. */
export function hasBias({ family, attentionBias, ffnBias }: Pick<ModelConfig, "family" | "attentionBias" | "ffnBias">, part: "attention" | "ffn"): boolean {
  return family === "flm" || (part === "attention" ? attentionBias : ffnBias) === true;
}

/** N: query heads. */
export function numHeads(config: ModelConfig): number {
  return config.numKvHeads * config.groupSize;
}

/** Width over muP base width; 1 without muP. */
export function mupRatio(config: ModelConfig): number {
  return config.mup ? config.residualDim / config.mup.baseWidth : 1;
}

/** A `ModelShape` in a file, where a misspelt field must not pass for a default. */
export const modelShapeSchema = z.strictObject({
  family: z.enum(["flm", "llama"]),
  vocabSize: count,
  seqLen: count,
  numLayers: z.int().nonnegative(),
  residualDim: count,
  ffnDim: count.optional(),
  numKvHeads: count,
  groupSize: count.optional(),
  headDim: count.optional(),
  position: positionSchema.partial().optional(),
  tiedHead: z.boolean().optional(),
  gelu: z.literal("erf").optional(),
  parallelResidual: z.literal(true).optional(),
  attentionBias: z.literal(true).optional(),
  ffnBias: z.literal(true).optional(),
  normEpsilon: z.number().optional(),
  mup: z.strictObject({ baseWidth: count, outputMult: z.number().optional(), inputMult: z.number().optional() }).optional(),
  initStd: z.number().positive().optional(),
});

/** What a caller states; the rest has the family's defaults. */
export interface ModelShape {
  family: ModelFamily;
  vocabSize: number;
  seqLen: number;
  numLayers: number;
  residualDim: number;
  ffnDim?: number;
  numKvHeads: number;
  groupSize?: number;
  headDim?: number;
  position?: Partial<PositionConfig>;
  tiedHead?: boolean;
  gelu?: "erf";
  parallelResidual?: true;
  attentionBias?: true;
  ffnBias?: true;
  normEpsilon?: number;
  mup?: { baseWidth: number; outputMult?: number; inputMult?: number };
  initStd?: number;
}

/**
 * A full configuration from its shape: ffnDim 4C (FLM) or 8C/3 rounded up to a multiple of 8 (Llama), head size C/N,
 * attention multiplier 1/sqrt(D), logits multiplier `outputMult / w` under muP (w = C / baseWidth), else 1.
 *
 * @throws {ConfigError} naming the first field that does not fit
 */
export function modelConfig(shape: ModelShape): ModelConfig {
  const groupSize = shape.groupSize ?? 1;
  const headDim = shape.headDim ?? shape.residualDim / (shape.numKvHeads * groupSize);
  const epsilon = shape.normEpsilon ?? 1e-5;
  return parseModelConfig({
    family: shape.family,
    vocabSize: shape.vocabSize,
    seqLen: shape.seqLen,
    numLayers: shape.numLayers,
    residualDim: shape.residualDim,
    ffnDim: shape.ffnDim ?? (shape.family === "flm" ? 4 * shape.residualDim : 8 * Math.ceil(shape.residualDim / 3)),
    numKvHeads: shape.numKvHeads,
    groupSize,
    headDim,
    position: { kind: "rope", ...shape.position },
    tiedHead: shape.tiedHead ?? shape.family === "flm",
    ...(shape.gelu && { gelu: shape.gelu }),
    ...(shape.parallelResidual && { parallelResidual: shape.parallelResidual }),
    ...(shape.attentionBias && { attentionBias: shape.attentionBias }),
    ...(shape.ffnBias && { ffnBias: shape.ffnBias }),
    normEpsilon: { attention: epsilon, ffn: epsilon, final: epsilon },
    multipliers: {
      embedding: shape.mup?.inputMult ?? 1,
      logits: shape.mup ? ((shape.mup.outputMult ?? 1) * shape.mup.baseWidth) / shape.residualDim : 1,
      attention: 1 / Math.sqrt(headDim),
      residual: 1,
    },
    mup: shape.mup ? { baseWidth: shape.mup.baseWidth } : null,
    initStd: shape.initStd ?? 0.02,
  });
}

/** @throws {ConfigError} with the path of the first offending field, what was found and what is expected */
export function parseModelConfig(value: unknown): ModelConfig {
  const result = modelConfigSchema.safeParse(value, refusals);
  if (result.success) return result.data;
  throw new ConfigError(refusal("model config", result.error));
}
