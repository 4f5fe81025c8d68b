import { fuseBiasGradients } from "./fusion/biasGradient.ts";
import { fuseCrossEntropy } from "./fusion/crossEntropy.ts";
import { fuseMatmulEpilogues } from "./fusion/matmulEpilogue.ts";
import { NodeList } from "./fusion/nodeList.ts";
import { fuseResidualNorms } from "./fusion/residualNorm.ts";
import { liveNodes } from "./prune.ts";
import type { GraphData } from "./types.ts";

export interface FuseOptions {
  /** Names of intermediates that must not disappear into a fused op; those that `plan` is to keep. */
  keep?: readonly string[];
}

/**
 * Rewrites a differentiated graph so that fewer values pass through memory: epilogues join their product
 * (`matmul` with bias, gelu or its gradient, gate, residual), other sums join the norm of the residual stream or its
 * gradient (`addLayerNorm`, `layerNormGradAdd`, `addRmsNorm`, `rmsNormGradAdd`), the gradient of a bias joins that of its
 * weight (`matmul` with biasGrad), the loss joins its gradient (`linearCrossEntropyWithGrad`). The values are the same to the last bit on the reference executor, and those of norms
 * on the CPU too. Nodes that nothing reads are dropped first, so that dead readers do not stand in the way.
 */
export function fuse(graph: GraphData, { keep = [] }: FuseOptions = {}): GraphData {
  const kept = new Set(keep);
  const visible = new Set(
    graph.tensors.filter(({ region, name }) => region === "output" || kept.has(name)).map(({ id }) => id),
  );
  const list = new NodeList(liveNodes(graph, visible));
  fuseMatmulEpilogues(list, visible);
  fuseBiasGradients(list);
  fuseResidualNorms(list, visible);
  fuseCrossEntropy(list);
  return { tensors: graph.tensors, nodes: list.nodes() };
}
