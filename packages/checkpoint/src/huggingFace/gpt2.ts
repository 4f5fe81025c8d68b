import { ConfigError } from "@espalier/core";
import { numHeads } from "@espalier/spec/model";
import { type Family, geluForm, plainShape, sharedConfig, splitName } from "./family.ts";
import { MOST_LAYERS } from "./fields.ts";

const MODEL_NAMES: Readonly<Record<string, string>> = {
  "embedding.weight": "transformer.wte.weight",
  "position.weight": "transformer.wpe.weight",
  "final.norm.gain": "transformer.ln_f.weight",
  "final.norm.bias": "transformer.ln_f.bias",
  "head.weight": "lm_head.weight",
};

const LAYER_NAMES: Readonly<Record<string, string>> = {
  "attention.norm.gain": "ln_1.weight",
  "attention.norm.bias": "ln_1.bias",
  "attention.output.weight": "attn.c_proj.weight",
  "attention.output.bias": "attn.c_proj.bias",
  "ffn.norm.gain": "ln_2.weight",
  "ffn.norm.bias": "ln_2.bias",
  "ffn.up.weight": "mlp.c_fc.weight",
  "ffn.up.bias": "mlp.c_fc.bias",
  "ffn.down.weight": "mlp.c_proj.weight",
  "ffn.down.bias": "mlp.c_proj.bias",
};

/** GPT-2: LayerNorm, biases, learned positions; projections stored `[in, out]`, q, k and v side by side. */
export const gpt2: Family = {
  modelType: "gpt2",
  prefix: "transformer.",
  readConfig(fields) {
    const gelu = geluForm(fields.text("activation_function", "gelu_new"));
    if (!gelu) fields.only("activation_function", "gelu_new", "only GELU is known of this family");
    fields.only("scale_attn_weights", true, "attention is scaled by 1/sqrt(D)");
    fields.only("scale_attn_by_inverse_layer_idx", false, "attention is scaled alike in all layers");
    fields.only("add_cross_attention", false, "only decoders are known");
    const residualDim = fields.count("n_embd", 768);
    const heads = fields.count("n_head", 12);
    const headDim = residualDim / heads;
    return {
      family: "flm",
      vocabSize: fields.count("vocab_size", 50257),
      seqLen: fields.count("n_positions", fields.count("n_ctx", 1024)),
      numLayers: fields.count("n_layer", 12, MOST_LAYERS),
      residualDim,
      ffnDim: fields.count("n_inner", 4 * residualDim),
      numKvHeads: heads,
      groupSize: 1,
      headDim,
      position: { kind: "learned", base: 10000, scaleBase: 512, gamma: 0.4, centre: 0 },
      tiedHead: fields.flag("tie_word_embeddings", true),
      ...(gelu === "erf" && { gelu }),
      ...sharedConfig(headDim, fields.number("layer_norm_epsilon", 1e-5), fields.number("initializer_range", 0.02)),
    };
  },
  writeConfig(config) {
    if (config.family !== "flm" || config.position.kind !== "learned" || config.parallelResidual) {
      throw new ConfigError("export: gpt2 needs LayerNorm, GELU, sequential blocks and learned positions. Export as another family.");
    }
    if (config.groupSize !== 1 || config.headDim * numHeads(config) !== config.residualDim) {
      throw new ConfigError(`export: gpt2 needs a key/value head a query head and heads x headDim = residualDim, found groups of ${config.groupSize}, ${numHeads(config)} x ${config.headDim} and ${config.residualDim}. Train another shape.`);
    }
    return {
      architectures: ["GPT2LMHeadModel"],
      n_embd: config.residualDim,
      n_inner: config.ffnDim,
      n_layer: config.numLayers,
      n_head: numHeads(config),
      n_positions: config.seqLen,
      n_ctx: config.seqLen,
      activation_function: config.gelu === "erf" ? "gelu" : "gelu_new",
      layer_norm_epsilon: config.normEpsilon.final,
      scale_attn_weights: true,
      scale_attn_by_inverse_layer_idx: false,
      reorder_and_upcast_attn: false,
      attn_pdrop: 0,
      embd_pdrop: 0,
      resid_pdrop: 0,
    };
  },
  rule(_, parameter) {
    const { layer, inner } = splitName(parameter.name);
    const shape = plainShape(parameter);
    if (layer === undefined) return { tensor: MODEL_NAMES[inner]!, shape };
    const block = `transformer.h.${layer}`;
    const part = /^attention\.(query|key|value)\.(weight|bias)$/.exec(inner);
    if (part) {
      const from = ["query", "key", "value"].indexOf(part[1]!) * parameter.rows;
      const fused = { tensor: `${block}.attn.c_attn.${part[2]!}`, rowOf: (row: number) => from + row };
      return part[2] === "bias"
        ? { ...fused, shape: [3 * parameter.rows] }
        : { ...fused, shape: [parameter.columns, 3 * parameter.rows], transposed: true };
    }
    const tensor = `${block}.${LAYER_NAMES[inner]!}`;
    return shape.length === 1 ? { tensor, shape } : { tensor, shape: [parameter.columns, parameter.rows], transposed: true };
  },
  isAbsent: () => false,
};
