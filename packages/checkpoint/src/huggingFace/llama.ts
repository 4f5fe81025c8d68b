import { ConfigError } from "@espalier/core";
import { numHeads } from "@espalier/spec/model";
import { type Family, plainShape, sharedConfig, splitName } from "./family.ts";
import { MOST_LAYERS } from "./fields.ts";
import { headChannel, rotaryDimOf, ropeOf } from "./rope.ts";

/** Inner names of ours to those of Hugging Face; Starcoder2 has the same but for its MLP. */
export const LLAMA_NAMES: Readonly<Record<string, string>> = {
  "attention.norm.gain": "input_layernorm.weight",
  "attention.norm.bias": "input_layernorm.bias",
  "ffn.norm.gain": "post_attention_layernorm.weight",
  "ffn.norm.bias": "post_attention_layernorm.bias",
  ...Object.fromEntries(
    Object.entries({ query: "q_proj", key: "k_proj", value: "v_proj", output: "o_proj" }).flatMap(([ours, theirs]) =>
      ["weight", "bias"].map((kind) => [`attention.${ours}.${kind}`, `self_attn.${theirs}.${kind}`]),
    ),
  ),
  ...Object.fromEntries(
    ["gate", "up", "down"].flatMap((name) => ["weight", "bias"].map((kind) => [`ffn.${name}.${kind}`, `mlp.${name}_proj.${kind}`])),
  ),
};

const MODEL_NAMES: Readonly<Record<string, string>> = {
  "embedding.weight": "model.embed_tokens.weight",
  "final.norm.gain": "model.norm.weight",
  "final.norm.bias": "model.norm.bias",
  "head.weight": "lm_head.weight",
};

/** The rule of a family whose q, k and v are separate and whose names are a table. */
export function separateRule(names: Readonly<Record<string, string>>): Family["rule"] {
  return (config, parameter) => {
    const { layer, inner } = splitName(parameter.name);
    const shape = plainShape(parameter);
    if (layer === undefined) return { tensor: MODEL_NAMES[inner]!, shape };
    const rule = { tensor: `model.layers.${layer}.${names[inner]!}`, shape };
    if (!/^attention\.(query|key)\./.test(inner) || rotaryDimOf(config) === config.headDim) return rule;
    const channel = headChannel(config);
    const { headDim } = config;
    return { ...rule, rowOf: (row) => row - (row % headDim) + channel(row % headDim) };
  };
}

/** Llama: RMSNorm, SwiGLU, rotary positions. */
export const llama: Family = {
  modelType: "llama",
  prefix: "model.",
  readConfig(fields) {
    fields.only("hidden_act", "silu", "only SwiGLU is known of this family");
    const residualDim = fields.count("hidden_size");
    const heads = fields.count("num_attention_heads");
    const numKvHeads = fields.count("num_key_value_heads", heads);
    const headDim = fields.count("head_dim", residualDim / heads);
    return {
      family: "llama",
      vocabSize: fields.count("vocab_size"),
      seqLen: fields.count("max_position_embeddings", 2048),
      numLayers: fields.count("num_hidden_layers", undefined, MOST_LAYERS),
      residualDim,
      ffnDim: fields.count("intermediate_size"),
      numKvHeads,
      groupSize: heads / numKvHeads,
      headDim,
      position: ropeOf(fields, { headDim, baseField: "rope_theta" }),
      tiedHead: fields.flag("tie_word_embeddings", false),
      ...(fields.flag("attention_bias", false) && { attentionBias: true }),
      ...(fields.flag("mlp_bias", false) && { ffnBias: true }),
      ...sharedConfig(headDim, fields.number("rms_norm_eps", 1e-6), fields.number("initializer_range", 0.02)),
    };
  },
  writeConfig(config) {
    if (config.family !== "llama" || config.parallelResidual || config.position.kind !== "rope" || config.position.frequencies) {
      throw new ConfigError("export: llama needs RMSNorm, SwiGLU, sequential blocks and plain rope positions. Export as another family.");
    }
    return {
      architectures: ["LlamaForCausalLM"],
      hidden_size: config.residualDim,
      intermediate_size: config.ffnDim,
      num_hidden_layers: config.numLayers,
      num_attention_heads: numHeads(config),
      num_key_value_heads: config.numKvHeads,
      head_dim: config.headDim,
      hidden_act: "silu",
      max_position_embeddings: config.seqLen,
      rms_norm_eps: config.normEpsilon.final,
      rope_theta: config.position.base,
      rope_scaling: null,
      attention_bias: config.attentionBias === true,
      mlp_bias: config.ffnBias === true,
      attention_dropout: 0,
      pretraining_tp: 1,
    };
  },
  rule: separateRule(LLAMA_NAMES),
  isAbsent: () => false,
};
