import type { Cluster } from "./device.ts";
import type { Layout } from "./layout.ts";
import type { ClusterModel } from "./shape.ts";

/** How micro-batches pass through the pipeline. */
export type PipelineSchedule = Pick<Layout, "schedule" | "virtualStages">;

/** The values that a search tries for every setting of a layout; all combinations that divide model, batch and cluster. */
export interface LayoutSpace {
  tensor: readonly number[];
  pipeline: readonly number[];
  context: readonly number[];
  expert: readonly number[];
  microBatchSize: readonly number[];
  schedules: readonly PipelineSchedule[];
  recompute: readonly Layout["recompute"][];
  sharding: readonly Layout["sharding"][];
  precision: readonly Layout["precision"][];
}

/** Fewer tokens than this of a sequence on one rank leave attention and its exchange with nothing to hide. */
const LEAST_CONTEXT_TOKENS = 512;

function divisors(n: number, limit: number): number[] {
  return Array.from({ length: Math.min(n, limit) }, (_, i) => i + 1).filter((d) => n % d === 0);
}

const powersOfTwo = (limit: number) => Array.from({ length: Math.floor(Math.log2(limit)) + 1 }, (_, i) => 2 ** i);

/**
 * The whole space of a model on a cluster: tensor up to the node, pipeline up to the layers, context down to 512 tokens
 * a rank, experts up to their number, micro-batches 1 to 16, plain, interleaved and zero-bubble schedules, four kinds of
 * recomputation, optimiser state or everything shared out. Precision is bf16 unless named: losses of FP8 are not modelled.
 *
 * @param fixed settings that keep one value
 */
export function layoutSpace(m: ClusterModel, c: Cluster, fixed: Partial<Layout> = {}): LayoutSpace {
  const one = <K extends keyof Layout>(key: K, values: readonly Layout[K][]): readonly Layout[K][] => (fixed[key] === undefined ? values : [fixed[key]]);
  const schedules: PipelineSchedule[] = [
    { schedule: "1f1b", virtualStages: 1 },
    { schedule: "interleaved", virtualStages: 2 },
    { schedule: "interleaved", virtualStages: 4 },
    { schedule: "zeroBubble", virtualStages: 1 },
  ];
  return {
    tensor: one("tensor", divisors(c.nodeSize, c.nodeSize)),
    pipeline: one("pipeline", divisors(c.numGpus, m.numLayers)),
    context: one("context", powersOfTwo(Math.max(1, m.seqLen / LEAST_CONTEXT_TOKENS)).filter((n) => m.seqLen % n === 0)),
    expert: one("expert", m.experts ? divisors(m.experts.numExperts, 64) : [1]),
    microBatchSize: one("microBatchSize", [1, 2, 4, 8, 16]),
    schedules: schedules.filter(({ schedule, virtualStages }) => (fixed.schedule ?? schedule) === schedule && (fixed.virtualStages ?? virtualStages) === virtualStages),
    recompute: one("recompute", ["none", "selective", "alternate", "full"]),
    sharding: one("sharding", ["optimizer", "full"]),
    precision: one("precision", ["bf16"]),
  };
}
