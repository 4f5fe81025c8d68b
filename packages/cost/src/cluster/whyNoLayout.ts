import { defaultBatchSize } from "./defaultBatchSize.ts";
import type { Cluster } from "./device.ts";
import { layout, layoutProblems } from "./layout.ts";
import { searchLayouts, type LayoutSearchOptions } from "./searchLayouts.ts";
import type { ClusterModel } from "./shape.ts";

/** Doublings of the cluster that are tried when a model does not fit. */
const DOUBLINGS = 8;

/** Why a search found no layout, and what would run: the end of an error's sentence. */
export function whyNoLayout(m: ClusterModel, c: Cluster, globalBatchSize: number, options: Pick<LayoutSearchOptions, "fixed" | "memory"> = {}): string {
  const { fixed = {} } = options;
  const { smallest } = searchLayouts(m, c, globalBatchSize, options);
  if (!smallest) {
    const { tensor = 1, pipeline = 1, context = 1 } = fixed;
    const [problem] = layoutProblems(m, layout({ ...fixed, globalBatchSize, data: c.numGpus / (tensor * pipeline * context) }), c);
    return problem ? problem.replace(/^layout: /, "") : "no combination divides heads, layers, batch and GPUs. Change the batch or what is fixed.";
  }
  const need = `the smallest layout needs ${(smallest.peakBytes / 2 ** 30).toFixed(0)} of ${c.device.memoryGb} GiB`;
  for (let i = 1; i <= DOUBLINGS; i++) {
    const more = { ...c, numGpus: c.numGpus * 2 ** i };
    const batch = globalBatchSize % more.numGpus === 0 ? globalBatchSize : defaultBatchSize(m, more.numGpus);
    if (searchLayouts(m, more, batch, { ...options, keep: 1 }).best.length > 0) return `${need}. Take ${more.numGpus} GPUs, where it fits, GPUs with more memory, or a smaller model.`;
  }
  return `${need}, and it fits no cluster up to ${c.numGpus * 2 ** DOUBLINGS} either. Take GPUs with more memory, a shorter sequence or a smaller model.`;
}
