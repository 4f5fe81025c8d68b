import { mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { random } from "@espalier/core";
import { modelConfig, type ModelShape } from "@espalier/spec/model";
import { parseTrainPlan, type TrainPlan } from "@espalier/spec/plan";
import { findDocumentEnds, type TokenSource } from "@espalier/tokenizer";
import { openTokenFile, writeShard } from "@espalier/tokenizer/node";
import type { TrainData } from "../data.ts";

export const VOCAB = 24;

/** A model of a few hundred parameters. */
export function tinyModel(changes: Partial<ModelShape> = {}) {
  return modelConfig({
    family: "flm",
    vocabSize: VOCAB,
    seqLen: 8,
    numLayers: 1,
    residualDim: 8,
    ffnDim: 12,
    numKvHeads: 2,
    headDim: 4,
    initStd: 0.1,
    ...changes,
  });
}

/** Tokens with something to learn: each is a function of the one before it, with noise. */
export function tinyData(seed = 1): TrainData {
  const stream = random(seed, "tiny data").sequence();
  const text = (length: number) => {
    const tokens = new Uint32Array(length);
    for (let i = 1; i < length; i++) tokens[i] = stream.uniform() < 0.8 ? (tokens[i - 1]! * 5 + 1) % VOCAB : stream.integer(VOCAB);
    return tokens;
  };
  return {
    sources: [{ name: "text", tokens: text(1500), weight: 2 }, { name: "tasks", tokens: text(700), weight: 1 }],
    validation: text(120),
    byteLengths: new Uint32Array(VOCAB).fill(2),
    digest: "d".repeat(64),
    tokenizerDigest: "t".repeat(64),
  };
}

const STEP_TOKENS = 2 * 2 * 8;

/** Three stages: 6 steps, growth on all four axes with a ramp of 4, 7 steps, growth of depth with a ramp of 3, 6 steps. */
export function tinyPlan(changes: Partial<TrainPlan> = {}): TrainPlan {
  const middle = tinyModel({ numLayers: 2, residualDim: 12, ffnDim: 20, numKvHeads: 3 });
  return parseTrainPlan({
    name: "tiny",
    seed: 5,
    microBatchSize: 2,
    gradAccumSteps: 2,
    validateEvery: 4,
    validationSequences: 5,
    checkpointEvery: 2,
    optimizer: { peakLearningRate: 0.02, warmupSteps: 3 },
    stages: [
      { name: "small", model: tinyModel(), tokens: 6 * STEP_TOKENS },
      {
        name: "middle",
        model: middle,
        tokens: 7 * STEP_TOKENS,
        growth: { operators: { residual: "msg", ffn: "msg", head: "msg", depth: "msg" }, rampSteps: 4, rewarmSteps: 0, seed: 1 },
      },
      {
        name: "large",
        model: { ...middle, numLayers: 3 },
        tokens: 6 * STEP_TOKENS,
        growth: { operators: { depth: "msg" }, rampSteps: 3, rewarmSteps: 2, seed: 2 },
      },
    ],
    ...changes,
  });
}

export function temporaryDirectory(): string {
  return mkdtempSync(join(tmpdir(), "espalier-trainer-"));
}

/** How a tiny run differs from the plain one: tokens attend within documents, documents are packed whole, the corpus stays on disk. */
export type RunKind = "plain" | "masked" | "packed" | "onDisk" | "maskedOnDisk" | "packedOnDisk";

/** Id of the token that ends a document of the tiny data. */
export const SEPARATOR = 0;

/**
 * Plan and data of a tiny run. All kinds train on the same tokens.
 *
 * @param directory for the shards, where there are any
 */
export async function tinyRun(kind: RunKind, directory: string): Promise<{ plan: TrainPlan; data: TrainData }> {
  const documents: Partial<TrainPlan> = { ...(kind.startsWith("masked") && { documentMasks: true }), ...(kind.startsWith("packed") && { packing: "bestFit" }) };
  const data = { ...tinyData(), separator: SEPARATOR };
  return { plan: tinyPlan(documents), data: kind.endsWith("isk") ? await onDisk(data, directory) : data };
}

/** The same data with its sources in shards of a directory, as documents. */
export async function onDisk(data: TrainData, directory: string): Promise<TrainData> {
  mkdirSync(directory, { recursive: true });
  const origin = { tokenizerDigest: data.tokenizerDigest, sourceDigest: data.digest };
  const sources: TokenSource[] = [];
  for (const { name, tokens, weight } of data.sources) {
    const path = join(directory, `${name}.bin`);
    await writeShard(path, origin, async (append) => {
      const { length, slice } = findDocumentEnds(tokens as Uint32Array, SEPARATOR);
      let start = 0;
      for (const end of Array.from(slice(0, length))) {
        await append((tokens as Uint32Array).subarray(start, end), 0);
        start = end;
      }
    });
    sources.push({ name, tokens: await openTokenFile(path), weight });
  }
  return { ...data, sources };
}
