import { cpuExecutor } from "@espalier/kernels";
import type { ModelConfig } from "@espalier/spec/model";
import type { GrowthStep } from "@espalier/spec/plan";
import type { AxisProbe } from "@espalier/spec/run";
import { type TrainData, openCheckpoint, probeGrowth } from "@espalier/trainer";
import { growthProof } from "./proof.ts";

const POSITIONS = 64;

/**
 * Each axis grown by itself from a trained model, by masked growth and, for depth, by zero-initialised layers too. The
 * targets are no multiples of the source, so that nothing is exact by luck.
 */
function probesOf(source: ModelConfig): { axis: string; operators: GrowthStep["operators"]; target: ModelConfig; from: string; to: string }[] {
  const { residualDim: C, ffnDim: H, numKvHeads: G, numLayers: L } = source;
  const wide = { residualDim: C + source.headDim + 2, ffnDim: H + 37, numKvHeads: G + 1, numLayers: L + 1 };
  return [
    { axis: "residual", operators: { residual: "msg" }, target: { ...source, residualDim: wide.residualDim }, from: `C${C}`, to: `C${wide.residualDim}` },
    { axis: "ffn", operators: { ffn: "msg" }, target: { ...source, ffnDim: wide.ffnDim }, from: `H${H}`, to: `H${wide.ffnDim}` },
    { axis: "head", operators: { head: "msg" }, target: { ...source, numKvHeads: wide.numKvHeads }, from: `N${G}`, to: `N${wide.numKvHeads}` },
    { axis: "depth", operators: { depth: "msg" }, target: { ...source, numLayers: wide.numLayers }, from: `L${L}`, to: `L${wide.numLayers}` },
    { axis: "depth", operators: { depth: "zeroDepth" }, target: { ...source, numLayers: 2 * L }, from: `L${L}`, to: `L${2 * L}` },
  ];
}

/** Measures every probe on the checkpoint of a trained model. */
export async function axisProbes(checkpoint: string, data: TrainData): Promise<AxisProbe[]> {
  const { record } = await openCheckpoint(checkpoint);
  const executor = cpuExecutor({ numThreads: 1 });
  const probes: AxisProbe[] = [];
  for (const { axis, operators, target, from, to } of probesOf(record.config)) {
    const operator = Object.values(operators)[0]!;
    const growth = { operators, rampSteps: operator === "msg" ? 10 : 0, rewarmSteps: 0, seed: 1 };
    const { logitChange } = await probeGrowth(checkpoint, { target, growth, data, executor });
    probes.push({ axis, operator, from, to, logitChange, positions: POSITIONS, proof: growthProof(record.config, target, growth) });
  }
  return probes;
}
