import { ConfigError } from "@espalier/core";
import type { ModelConfig, PositionConfig } from "@espalier/spec/model";
import { type Fields, MOST_HEAD_CHANNELS } from "./fields.ts";

export interface RopeOptions {
  headDim: number;
  /** Old names of the base and of the rotated share; `rope_parameters` wins where it is. */
  baseField: string;
  shareField?: string;
  defaultShare?: number;
}

/**
 * Rotary positions as a Hugging Face configuration states them. Frequencies are given one by one where the formula
 * `base^(-2i/D)` does not hold: part of the head rotated, linear or Llama 3 context scaling.
 *
 * @throws {ConfigError} for a scaling that changes with the running length or with attention (yarn, dynamic, longrope)
 */
export function ropeOf(fields: Fields, { headDim, baseField, shareField, defaultShare = 1 }: RopeOptions): PositionConfig {
  const parameters = fields.object("rope_parameters");
  const base = parameters?.has("rope_theta") ? parameters.number("rope_theta", 10000) : fields.number(baseField, 10000);
  const share = parameters?.has("partial_rotary_factor")
    ? parameters.number("partial_rotary_factor", 1)
    : shareField === undefined ? 1 : fields.number(shareField, defaultShare);
  if (headDim > MOST_HEAD_CHANNELS) {
    throw new ConfigError(`${fields.where}: heads of ${headDim} channels, expected at most ${MOST_HEAD_CHANNELS}. Correct the file.`);
  }
  const rotaryDim = Math.trunc(headDim * share);
  if (rotaryDim < 2 || rotaryDim > headDim || rotaryDim % 2 !== 0) {
    throw new ConfigError(`${fields.where}: ${rotaryDim} of ${headDim} head channels are rotated, expected an even number up to all. Use another model.`);
  }
  const formula = Array.from({ length: rotaryDim / 2 }, (_, i) => base ** ((-2 * i) / rotaryDim));
  const scaled = scaling(fields, parameters, formula);
  const position = { kind: "rope", base, scaleBase: 512, gamma: 0.4, centre: 0 } as const;
  if (rotaryDim === headDim && scaled === formula) return position;
  return { ...position, frequencies: [...scaled, ...new Array<number>((headDim - rotaryDim) / 2).fill(0)] };
}

function scaling(fields: Fields, parameters: Fields | undefined, frequencies: number[]): number[] {
  const scheme = fields.object("rope_scaling") ?? parameters;
  if (!scheme) return frequencies;
  const type = scheme.text(scheme.has("rope_type") ? "rope_type" : "type", "default");
  if (type === "default") return frequencies;
  const factor = scheme.number("factor", 1);
  if (type === "linear") return frequencies.map((frequency) => frequency / factor);
  if (type !== "llama3") {
    throw new ConfigError(`${scheme.where}: type is "${type}", expected default, linear or llama3. Such models cannot be read.`);
  }
  // Wavelengths beyond the original context are stretched, short ones kept, those between blended (Llama 3.1).
  const low = scheme.number("low_freq_factor", 1);
  const high = scheme.number("high_freq_factor", 4);
  const original = scheme.count("original_max_position_embeddings", 8192);
  return frequencies.map((frequency) => {
    const turns = (original * frequency) / (2 * Math.PI);
    if (turns > high) return frequency;
    if (turns < low) return frequency / factor;
    const blend = (turns - low) / (high - low);
    return (1 - blend) * (frequency / factor) + blend * frequency;
  });
}

/** Head channels that turn: the pairs whose frequency is not 0. */
export function rotaryDimOf({ headDim, position }: Pick<ModelConfig, "headDim" | "position">): number {
  const { frequencies } = position;
  if (!frequencies) return headDim;
  const still = frequencies.findIndex((frequency, i) => frequency === 0 && frequencies.slice(i).every((later) => later === 0));
  return still < 0 ? headDim : 2 * still;
}

/**
 * Where a head channel of ours stands in Hugging Face's order. Ours pairs (i, i + D/2) over the whole head; theirs pairs
 * (i, i + R/2) in the first R rotated channels and lets the rest stand. Queries and keys move alike, so scores stay.
 */
export function headChannel(config: Pick<ModelConfig, "headDim" | "position">): (channel: number) => number {
  const { headDim } = config;
  const rotaryDim = rotaryDimOf(config);
  const still = (headDim - rotaryDim) / 2;
  return (channel) => {
    const second = channel >= headDim / 2;
    const pair = second ? channel - headDim / 2 : channel;
    if (pair < rotaryDim / 2) return second ? pair + rotaryDim / 2 : pair;
    return rotaryDim + (second ? still : 0) + pair - rotaryDim / 2;
  };
}
