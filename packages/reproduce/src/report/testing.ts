import { modelConfig, numParameters } from "@espalier/spec/model";
import type { ArmRole, ReportArm } from "@espalier/spec/run";

/** An arm with the fields that comparisons read; everything else is plain. */
export function sampleArm(role: ArmRole, seed: number, finalLoss: number, flops: number, residualDim = 96, learningRate = 0.006): ReportArm {
  const model = modelConfig({ family: "flm", vocabSize: 1024, seqLen: 128, numLayers: 8, residualDim, numKvHeads: 4 });
  return {
    id: `${role}/${residualDim}/${flops}/seed-${seed}`,
    role,
    title: role,
    seed,
    learningRate,
    curve: [],
    growths: [],
    stages: [{ name: "only", model, numParameters: numParameters(model), tokens: 1e6, flops, validationLoss: finalLoss, bitsPerByte: 2, iq: [] }],
    finalLoss,
    bitsPerByte: 2,
    tokens: 1e6,
    flops,
    seconds: 10,
    predictedSeconds: 9,
    joules: 1,
    usd: 1,
    checkpointDigest: "",
  };
}
