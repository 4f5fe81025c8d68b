import { ConfigError } from "@espalier/core";
import { numHeads } from "@espalier/spec/model";
import { type Family, geluForm, plainShape, sharedConfig, splitName } from "./family.ts";
import { MOST_LAYERS } from "./fields.ts";
import { headChannel, rotaryDimOf, ropeOf } from "./rope.ts";

const MODEL_NAMES: Readonly<Record<string, string>> = {
  "embedding.weight": "gpt_neox.embed_in.weight",
  "final.norm.gain": "gpt_neox.final_layer_norm.weight",
  "final.norm.bias": "gpt_neox.final_layer_norm.bias",
  "head.weight": "embed_out.weight",
};

const LAYER_NAMES: Readonly<Record<string, string>> = {
  "attention.norm.gain": "input_layernorm.weight",
  "attention.norm.bias": "input_layernorm.bias",
  "attention.output.weight": "attention.dense.weight",
  "attention.output.bias": "attention.dense.bias",
  "ffn.norm.gain": "post_attention_layernorm.weight",
  "ffn.norm.bias": "post_attention_layernorm.bias",
  "ffn.up.weight": "mlp.dense_h_to_4h.weight",
  "ffn.up.bias": "mlp.dense_h_to_4h.bias",
  "ffn.down.weight": "mlp.dense_4h_to_h.weight",
  "ffn.down.bias": "mlp.dense_4h_to_h.bias",
};

/** GPT-NeoX (Pythia): LayerNorm, biases, fused q, k, v with rows `[head][q, k, v][D]`, partly rotated heads, parallel blocks. */
export const gptNeox: Family = {
  modelType: "gpt_neox",
  prefix: "gpt_neox.",
  readConfig(fields) {
    const gelu = geluForm(fields.text("hidden_act", "gelu"));
    if (!gelu) fields.only("hidden_act", "gelu", "only GELU is known of this family");
    const residualDim = fields.count("hidden_size");
    const heads = fields.count("num_attention_heads");
    const headDim = residualDim / heads;
    return {
      family: "flm",
      vocabSize: fields.count("vocab_size"),
      seqLen: fields.count("max_position_embeddings", 2048),
      numLayers: fields.count("num_hidden_layers", undefined, MOST_LAYERS),
      residualDim,
      ffnDim: fields.count("intermediate_size"),
      numKvHeads: heads,
      groupSize: 1,
      headDim,
      position: ropeOf(fields, {
        headDim,
        baseField: fields.has("rope_theta") ? "rope_theta" : "rotary_emb_base",
        shareField: fields.has("partial_rotary_factor") ? "partial_rotary_factor" : "rotary_pct",
        defaultShare: 0.25,
      }),
      tiedHead: fields.flag("tie_word_embeddings", false),
      ...(gelu === "erf" && { gelu }),
      ...(fields.flag("use_parallel_residual", true) && { parallelResidual: true }),
      ...sharedConfig(headDim, fields.number("layer_norm_eps", 1e-5), fields.number("initializer_range", 0.02)),
    };
  },
  writeConfig(config) {
    const { position, headDim } = config;
    const rotaryDim = rotaryDimOf(config);
    const formula = position.frequencies?.every((frequency, i) => {
      const expected = 2 * i < rotaryDim ? position.base ** ((-2 * i) / rotaryDim) : 0;
      return Math.abs(frequency - expected) <= 1e-12 * expected;
    });
    if (config.family !== "flm" || position.kind !== "rope" || formula === false) {
      throw new ConfigError("export: gpt_neox needs LayerNorm, GELU and rope positions by their formula. Export as another family.");
    }
    if (config.groupSize !== 1 || headDim * numHeads(config) !== config.residualDim) {
      throw new ConfigError(`export: gpt_neox needs a key/value head a query head and heads x headDim = residualDim, found groups of ${config.groupSize}, ${numHeads(config)} x ${headDim} and ${config.residualDim}. Export as starcoder2 or train another shape.`);
    }
    return {
      architectures: ["GPTNeoXForCausalLM"],
      hidden_size: config.residualDim,
      intermediate_size: config.ffnDim,
      num_hidden_layers: config.numLayers,
      num_attention_heads: numHeads(config),
      hidden_act: config.gelu === "erf" ? "gelu" : "gelu_new",
      max_position_embeddings: config.seqLen,
      layer_norm_eps: config.normEpsilon.final,
      rotary_pct: rotaryDim / headDim,
      rotary_emb_base: position.base,
      rope_scaling: null,
      use_parallel_residual: config.parallelResidual === true,
      attention_bias: true,
      attention_dropout: 0,
      hidden_dropout: 0,
    };
  },
  rule(config, parameter) {
    const { layer, inner } = splitName(parameter.name);
    const shape = plainShape(parameter);
    if (layer === undefined) return { tensor: MODEL_NAMES[inner]!, shape };
    const block = `gpt_neox.layers.${layer}`;
    const part = /^attention\.(query|key|value)\.(weight|bias)$/.exec(inner);
    if (!part) return { tensor: `${block}.${LAYER_NAMES[inner]!}`, shape };
    const { headDim } = config;
    const place = ["query", "key", "value"].indexOf(part[1]!);
    const channel = part[1] === "value" ? (d: number) => d : headChannel(config);
    return {
      tensor: `${block}.attention.query_key_value.${part[2]!}`,
      shape: [3 * parameter.rows, ...shape.slice(1)],
      rowOf: (row) => (3 * Math.floor(row / headDim) + place) * headDim + channel(row % headDim),
    };
  },
  isAbsent: (fields, name) => !fields.flag("attention_bias", true) && /\.attention\.(query|key|value|output)\.bias$/.test(name),
};
