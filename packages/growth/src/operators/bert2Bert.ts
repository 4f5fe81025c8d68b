import { random } from "@espalier/core";
import { copies, expectNotSmaller } from "../axisMaps.ts";
import type { GrowthOperator } from "./operator.ts";

/**
 * bert2BERT's function preserving initialisation of the residual stream: old channels keep their places, every new one
 * copies an old one drawn uniformly, readers divide by the number of copies, and norm parameters are copied unscaled.
 * Nearly exact: unequal numbers of copies change the statistics of the norms. With `net2Wider` for MLP and heads this is
 * the whole method; its second initialisation, which takes new units from the layer above, is not here.
 *
 * @throws {GrowthError} when the target is below its source
 * @see Chen et al. 2022, arXiv:2110.07143, section 3.3
 */
export const bert2Bert: GrowthOperator = {
  name: "bert2Bert",
  summary: "new channels copy random old ones; norms are left alone, so that it is only nearly exact",
  source: "arXiv:2110.07143",
  groups: ["residual"],
  preserves: { logits: false, gradients: false },
  needsGates: false,
  map(_, { residualDim: before }, { residualDim: after }, { seed }) {
    expectNotSmaller("bert2Bert: residualDim", before, after);
    const draw = random(seed, "bert2Bert", "residualDim");
    const sources = Array.from({ length: after }, (_, t) => (t < before ? t : draw.integer(t, before)));
    return { axes: { residual: copies("residualDim", before, sources, { normRule: "unchanged" }) } };
  },
};
