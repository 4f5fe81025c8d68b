import { join } from "node:path";
import { openSafetensors } from "@espalier/checkpoint";
import { type ModelConfig, parseModelConfig } from "@espalier/spec/model";

/** Reference values of one tiny model, from PyTorch in double precision (see fixtures/make_fixtures.py). */
export interface Fixture {
  config: ModelConfig;
  learningRates: number[];
  optimizer: { beta1: number; beta2: number; epsilon: number; weightDecay: number; clipNorm: number };
  /** Loss and gradient norm before clipping, by step. */
  losses: number[];
  gradNorms: number[];
  /** `start:<parameter>`, `logits`, `gradient:<parameter>`, `step<n>:<parameter>`, `m:<parameter>`, `v:<parameter>`. */
  values(name: string): Float64Array;
  /** `[steps, micro-batches, B, T]` */
  tokens: Int32Array;
  /** The same; -1 where masked. */
  targets: Int32Array;
}

export const fixtureNames = [
  "flm-tied-rope",
  "flm-untied-xpos-mup",
  "llama-gqa",
  "flm-learned-erf",
  "flm-parallel-frequencies",
  "llama-biases",
] as const;

export async function readFixture(name: (typeof fixtureNames)[number]): Promise<Fixture> {
  const file = await openSafetensors(join(import.meta.dirname, "../../fixtures", `${name}.safetensors`));
  const bytes = new Map<string, Uint8Array>();
  for (const tensor of file.tensors.keys()) bytes.set(tensor, await file.read(tensor));
  await file.close();
  return {
    config: parseModelConfig(JSON.parse(file.metadata.config!)),
    ...(JSON.parse(file.metadata.about!) as Pick<Fixture, "learningRates" | "optimizer" | "losses" | "gradNorms">),
    values: (tensor) => new Float64Array(bytes.get(tensor)!.buffer),
    tokens: new Int32Array(bytes.get("tokens")!.buffer),
    targets: new Int32Array(bytes.get("targets")!.buffer),
  };
}
