import { ConfigError } from "@espalier/core";
import { type ModelConfig, modelConfig } from "./config.ts";

export interface Preset {
  name: string;
  config: ModelConfig;
  /** `published`: the shape is stated by its authors. `assumed`: it is our choice; `note` says why. */
  source: "published" | "assumed";
  note: string;
}

/**
 * An FLM-101B stage. Published for all stages: vocabulary 100,256 (the checkpoint pads it to 100,352 rows = 196 x 512),
 * context 2,048, xPos with theta 10000 and scale base 512, muP with base width 256 and output multiplier 2.0, searched
 * initialisation 1.6e-2, LayerNorm eps 1e-5. Not published: whether the head is tied; the authors' muP code ties it.
 *
 * @see Li et al. 2025, arXiv:2309.03852v3, sections 2.1, 2.4 and 3; huggingface.co/CofeAI/FLM-101B config.json;
 *   github.com/cofe-ai/Mu-scaling
 */
function flmStage(numLayers: number, residualDim: number): ModelConfig {
  const headDim = 128; // 10,240 / 80 heads at 101B
  const seqLen = 2048;
  return modelConfig({
    family: "flm",
    vocabSize: 100_352,
    seqLen,
    numLayers,
    residualDim,
    numKvHeads: residualDim / headDim,
    headDim,
    position: { kind: "xpos", base: 10_000, scaleBase: 512, gamma: 0.4, centre: seqLen / 2 },
    tiedHead: true,
    mup: { baseWidth: 256, outputMult: 2, inputMult: 1 },
    initStd: 0.016,
  });
}

/** A stage of the small growth ladder: parameters about 1 : 4 : 8, as in our trial of the paper's schedule. */
function ladderStage(numLayers: number, residualDim: number): ModelConfig {
  return modelConfig({
    family: "flm",
    vocabSize: 1024,
    seqLen: 128,
    numLayers,
    residualDim,
    numKvHeads: residualDim / 24,
    headDim: 24,
  });
}

/** Named configurations. */
export const presets: readonly Preset[] = [
  {
    name: "flm-16b",
    config: flmStage(48, 5120),
    source: "assumed",
    note:
      "The shape is ours: 15.6e9 parameters with 40 heads of 128, which tensor parallelism 2 divides, and smaller than " +
      "the 51B stage in layers, width and heads alike. Also possible: 80 x 4096 (16.5e9).",
  },
  {
    name: "flm-51b",
    config: flmStage(64, 8192),
    source: "assumed",
    note:
      "The shape is ours: 51.5e9 parameters in blocks, the width-to-depth ratio 128 of the 101B model, 64 heads and 64 " +
      "layers that tensor parallelism 4 and pipeline parallelism 2 divide; the authors' Tele-FLM 52B has the same layers, " +
      "width and heads. Also possible: 80 x 7168 (50.0e9), 72 x 7680 (51.7e9).",
  },
  {
    name: "flm-101b",
    config: flmStage(80, 10_240),
    source: "published",
    note:
      "80 layers, width 10,240, 80 heads, FFN 40,960. Tying of the head is not stated; tied gives 101.70e9 parameters, " +
      "of which 100.66e9 in the matrices of blocks, untied 102.73e9. The released file lists initializer_range 0.02, " +
      "the paper's searched value is 0.016.",
  },
  {
    name: "flm-ladder-1",
    config: ladderStage(4, 48),
    source: "assumed",
    note: "Ours: first of three stages for minutes on two cores; 0.16 M parameters.",
  },
  {
    name: "flm-ladder-2",
    config: ladderStage(4, 96),
    source: "assumed",
    note: "Ours: width, heads and MLP of the first stage doubled; 0.55 M parameters.",
  },
  {
    name: "flm-ladder-3",
    config: ladderStage(8, 96),
    source: "assumed",
    note: "Ours: layers of the second stage doubled; 0.99 M parameters.",
  },
  {
    name: "flm-test",
    config: modelConfig({
      family: "flm",
      vocabSize: 48,
      seqLen: 16,
      numLayers: 2,
      residualDim: 16,
      ffnDim: 40,
      numKvHeads: 2,
      headDim: 8,
      position: { kind: "xpos", centre: 8 },
      mup: { baseWidth: 8, outputMult: 2 },
    }),
    source: "assumed",
    note: "Ours: small enough for loops, with every switch of the family on (xPos, muP, tied head).",
  },
  {
    name: "llama-test",
    config: modelConfig({
      family: "llama",
      vocabSize: 48,
      seqLen: 16,
      numLayers: 2,
      residualDim: 16,
      ffnDim: 24,
      numKvHeads: 2,
      groupSize: 2,
      headDim: 4,
      tiedHead: false,
    }),
    source: "assumed",
    note: "Ours: small enough for loops, with grouped queries and an untied head.",
  },
  {
    name: "tinystories-656k",
    config: modelConfig({
      family: "llama",
      vocabSize: 2048,
      seqLen: 512,
      numLayers: 2,
      residualDim: 128,
      ffnDim: 384,
      numKvHeads: 4,
      groupSize: 2,
      headDim: 16,
      tiedHead: true,
      normEpsilon: 1e-6,
    }),
    source: "published",
    note: "656,000 parameters; tied weights are stored under lm_head.weight only.",
  },
];

/** @throws {ConfigError} with the names there are */
export function preset(name: string): Preset {
  const found = presets.find((candidate) => candidate.name === name);
  if (found) return found;
  const names = presets.map((candidate) => candidate.name).join(", ");
  throw new ConfigError(`preset: found "${name}", expected one of ${names}. Choose one of these.`);
}
