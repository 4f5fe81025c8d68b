import { ConfigError } from "@espalier/core";
import { preset, presets } from "@espalier/spec/model";
import { nearestNames } from "../cluster/nearest.ts";
import { type ClusterModel, clusterModel } from "../cluster/shape.ts";
import type { Source } from "./types.ts";

/** A published model by name, with the tokens that it was trained on. */
export interface ClusterModelRow extends Source {
  id: string;
  model: ClusterModel;
  tokens: number;
}

const gpt = (numLayers: number, residualDim: number, numHeads: number, vocabSize: number, seqLen: number): ClusterModel => ({
  numLayers, residualDim, numHeads, numKvHeads: numHeads, headDim: residualDim / numHeads, ffnDim: 4 * residualDim, vocabSize, seqLen, gated: false, tiedHead: true,
});
const llama = (numLayers: number, residualDim: number, numHeads: number, numKvHeads: number, ffnDim: number, vocabSize: number, seqLen: number): ClusterModel => ({
  ...gpt(numLayers, residualDim, numHeads, vocabSize, seqLen), numKvHeads, ffnDim, gated: true, tiedHead: false,
});

const LLAMA1 = { url: "https://arxiv.org/abs/2302.13971", date: "2023-02-27" };
const LLAMA2 = { url: "https://arxiv.org/abs/2307.09288", date: "2023-07-18" };
const LLAMA3 = { url: "https://arxiv.org/abs/2407.21783", date: "2024-07-31" };
const FLM = { url: "https://arxiv.org/abs/2309.03852v3", date: "2025-01-14" };

/** Public shapes; the sizes of FLM's first two stages are assumed (`@espalier/spec` presets say why). */
export const clusterModelRows: readonly ClusterModelRow[] = [
  { id: "flm-16b", model: clusterModel(preset("flm-16b").config), tokens: 245.37e9, ...FLM, note: "first stage; shape assumed" },
  { id: "flm-51b", model: clusterModel(preset("flm-51b").config), tokens: 39.64e9, ...FLM, note: "second stage; shape assumed" },
  { id: "flm-101b", model: clusterModel(preset("flm-101b").config), tokens: 311.55e9, ...FLM, note: "tokens of all stages" },
  { id: "gpt-3-175b", model: gpt(96, 12288, 96, 50257, 2048), tokens: 300e9, url: "https://arxiv.org/abs/2005.14165", date: "2020-05-28" },
  { id: "opt-175b", model: gpt(96, 12288, 96, 50272, 2048), tokens: 180e9, url: "https://arxiv.org/abs/2205.01068", date: "2022-05-02" },
  { id: "glm-130b", model: gpt(70, 12288, 96, 150528, 2048), tokens: 400e9, url: "https://arxiv.org/abs/2210.02414", date: "2022-10-05", note: "MLP counted as 4 C without a gate" },
  { id: "llama-7b", model: llama(32, 4096, 32, 32, 11008, 32000, 2048), tokens: 1e12, ...LLAMA1 },
  { id: "llama-13b", model: llama(40, 5120, 40, 40, 13824, 32000, 2048), tokens: 1e12, ...LLAMA1 },
  { id: "llama-33b", model: llama(60, 6656, 52, 52, 17920, 32000, 2048), tokens: 1.4e12, ...LLAMA1 },
  { id: "llama-65b", model: llama(80, 8192, 64, 64, 22016, 32000, 2048), tokens: 1.4e12, ...LLAMA1 },
  { id: "llama-2-7b", model: llama(32, 4096, 32, 32, 11008, 32000, 4096), tokens: 2e12, ...LLAMA2 },
  { id: "llama-2-13b", model: llama(40, 5120, 40, 40, 13824, 32000, 4096), tokens: 2e12, ...LLAMA2 },
  { id: "llama-2-70b", model: llama(80, 8192, 64, 8, 28672, 32000, 4096), tokens: 2e12, ...LLAMA2 },
  { id: "llama-3-8b", model: llama(32, 4096, 32, 8, 14336, 128256, 8192), tokens: 15e12, ...LLAMA3 },
  { id: "llama-3-70b", model: llama(80, 8192, 64, 8, 28672, 128256, 8192), tokens: 15e12, ...LLAMA3 },
  { id: "llama-3-405b", model: llama(126, 16384, 128, 8, 53248, 128256, 8192), tokens: 15.6e12, ...LLAMA3 },
  {
    id: "mixtral-8x7b",
    model: { ...llama(32, 4096, 32, 8, 14336, 32000, 8192), experts: { numExperts: 8, topK: 2, ffnDim: 14336, sharedFfnDim: 0, numMoeLayers: 32 } },
    tokens: 1e12,
    url: "https://arxiv.org/abs/2401.04088",
    date: "2024-01-08",
    note: "tokens are not published; 1T stands in",
  },
];

/**
 * A published model or a preset by name, or a GPT shape written `LxC` (layers x width, heads of 128, vocabulary 50,304,
 * context 2,048).
 *
 * @throws {ConfigError} when the name is unknown (the sentence names the nearest ones)
 */
export function findClusterModel(name: string): { id: string; model: ClusterModel; tokens?: number; note?: string } {
  const row = clusterModelRows.find(({ id }) => id === name.toLowerCase());
  if (row) return row;
  const own = presets.find((known) => known.name === name);
  if (own) return { id: own.name, model: clusterModel(own.config), note: own.note };
  const shape = /^(\d{1,4})x(\d{2,6})$/.exec(name);
  if (shape) {
    const [numLayers, residualDim] = [Number(shape[1]), Number(shape[2])];
    if (numLayers === 0 || residualDim === 0 || residualDim % 128 !== 0) throw new ConfigError(`model: ${name} has width ${residualDim}, expected a multiple of 128 and at least one layer. Round it.`);
    return { id: name, model: gpt(numLayers, residualDim, residualDim / 128, 50304, 2048) };
  }
  const names = [...new Set([...clusterModelRows.map(({ id }) => id), ...presets.map((known) => known.name)])];
  throw new ConfigError(`model: is "${name}", expected a known model or a shape such as 48x5120. Nearest: ${nearestNames(name, names).join(", ")}.`);
}
