import type { ModelConfig, Parameter } from "@espalier/spec/model";
import type { Fields } from "./fields.ts";

/** Where a parameter of ours stands in a tensor of a Hugging Face checkpoint. */
export interface TensorRule {
  tensor: string;
  /** Of the whole tensor. */
  shape: readonly number[];
  /** Index on the tensor's output axis for a row of ours. Absent: the same. */
  rowOf?: (row: number) => number;
  /** Stored `[in, out]`, as GPT-2's projections are. */
  transposed?: boolean;
}

/** Names and numbers of one model family of Hugging Face. */
export interface Family {
  /** `model_type` of `config.json`. */
  modelType: string;
  /** Prefix that a checkpoint of the bare model, without its head, leaves out. */
  prefix: string;
  /** @throws {ConfigError} naming a field that is missing or asks for arithmetic that is not supported */
  readConfig(fields: Fields): ModelConfig;
  /**
   * The fields of `config.json` for a configuration without multipliers, besides those that all families share.
   *
   * @throws {ConfigError} naming what the family cannot express
   */
  writeConfig(config: ModelConfig): Record<string, unknown>;
  /** The place of a parameter. */
  rule(config: ModelConfig, parameter: Parameter): TensorRule;
  /** Parameters that this checkpoint leaves out because they are 0: biases that its `config.json` switches off. */
  isAbsent(fields: Fields, name: string): boolean;
}

/** A parameter's layer and its name inside the layer, or its name alone. */
export function splitName(name: string): { layer?: string; inner: string } {
  const match = /^layers\.(\d+)\.(.*)$/.exec(name);
  return match ? { layer: match[1]!, inner: match[2]! } : { inner: name };
}

/** Shape of a parameter as a matrix or vector. */
export function plainShape({ rows, columns, entry }: Parameter): number[] {
  return entry.axes.length > entry.numRowAxes ? [rows, columns] : [rows];
}

/** What every configuration read from Hugging Face shares: one epsilon, plain multipliers. */
export function sharedConfig(headDim: number, epsilon: number, initStd: number) {
  return {
    normEpsilon: { attention: epsilon, ffn: epsilon, final: epsilon },
    multipliers: { embedding: 1, logits: 1, attention: 1 / Math.sqrt(headDim), residual: 1 },
    mup: null,
    initStd,
  };
}

/** GELU by its Hugging Face name: the exact form, the tanh form, or neither. */
export function geluForm(activation: string): "erf" | "tanh" | undefined {
  if (activation === "gelu") return "erf";
  return ["gelu_new", "gelu_fast", "gelu_pytorch_tanh"].includes(activation) ? "tanh" : undefined;
}
