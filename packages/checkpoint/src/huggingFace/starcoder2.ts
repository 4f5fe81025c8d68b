import { ConfigError } from "@espalier/core";
import { numHeads } from "@espalier/spec/model";
import { type Family, geluForm, sharedConfig } from "./family.ts";
import { MOST_LAYERS } from "./fields.ts";
import { LLAMA_NAMES, separateRule } from "./llama.ts";
import { ropeOf } from "./rope.ts";

const NAMES = {
  ...LLAMA_NAMES,
  "ffn.up.weight": "mlp.c_fc.weight",
  "ffn.up.bias": "mlp.c_fc.bias",
  "ffn.down.weight": "mlp.c_proj.weight",
  "ffn.down.bias": "mlp.c_proj.bias",
};

/** Starcoder2: LayerNorm, biases, GELU MLP, rotary positions, grouped heads. The nearest to FLM-101B. */
export const starcoder2: Family = {
  modelType: "starcoder2",
  prefix: "model.",
  readConfig(fields) {
    const gelu = geluForm(fields.text("hidden_act", "gelu_pytorch_tanh"));
    if (!gelu) fields.only("hidden_act", "gelu_pytorch_tanh", "only GELU is known of this family");
    const residualDim = fields.count("hidden_size");
    const heads = fields.count("num_attention_heads");
    const numKvHeads = fields.count("num_key_value_heads", 2);
    const headDim = residualDim / heads;
    const seqLen = fields.count("max_position_embeddings", 4096);
    const window = fields.has("sliding_window") ? fields.count("sliding_window") : Infinity;
    if (window < seqLen) {
      throw new ConfigError(
        `${fields.where}: sliding_window is ${window}, expected none or at least the context of ${seqLen}: attention sees every ` +
          `earlier token. Open the model with maxLen ${window}; up to that length the two are the same.`,
      );
    }
    return {
      family: "flm",
      vocabSize: fields.count("vocab_size", 49152),
      seqLen,
      numLayers: fields.count("num_hidden_layers", undefined, MOST_LAYERS),
      residualDim,
      ffnDim: fields.count("intermediate_size"),
      numKvHeads,
      groupSize: heads / numKvHeads,
      headDim,
      position: ropeOf(fields, { headDim, baseField: "rope_theta" }),
      tiedHead: fields.flag("tie_word_embeddings", true),
      ...(gelu === "erf" && { gelu }),
      ...sharedConfig(headDim, fields.number("norm_epsilon", 1e-5), fields.number("initializer_range", 0.018042)),
    };
  },
  writeConfig(config) {
    if (config.family !== "flm" || config.parallelResidual || config.position.kind !== "rope" || config.position.frequencies) {
      throw new ConfigError("export: starcoder2 needs LayerNorm, GELU, sequential blocks and plain rope positions. Export as another family.");
    }
    if (config.headDim * numHeads(config) !== config.residualDim) {
      throw new ConfigError(`export: starcoder2 needs heads x headDim = residualDim, found ${numHeads(config)} x ${config.headDim} and ${config.residualDim}. Train another shape.`);
    }
    return {
      architectures: ["Starcoder2ForCausalLM"],
      hidden_size: config.residualDim,
      intermediate_size: config.ffnDim,
      num_hidden_layers: config.numLayers,
      num_attention_heads: numHeads(config),
      num_key_value_heads: config.numKvHeads,
      hidden_act: config.gelu === "erf" ? "gelu" : "gelu_pytorch_tanh",
      max_position_embeddings: config.seqLen,
      norm_epsilon: config.normEpsilon.final,
      rope_theta: config.position.base,
      use_bias: true,
      sliding_window: null,
      attention_dropout: 0,
      residual_dropout: 0,
      embedding_dropout: 0,
    };
  },
  rule: separateRule(NAMES),
  isAbsent: (fields, name) => !fields.flag("use_bias", true) && name.endsWith(".bias") && !name.includes("norm"),
};
