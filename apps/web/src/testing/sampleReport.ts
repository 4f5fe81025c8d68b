import { type ModelConfig, modelConfig, numParameters } from "@espalier/spec/model";
import type { ArmRole, IqScore, ReportArm, ReproductionReport } from "@espalier/spec/run";

const shape = (numLayers: number, residualDim: number): ModelConfig =>
  modelConfig({ family: "flm", vocabSize: 1024, seqLen: 128, numLayers, residualDim, numKvHeads: residualDim / 24 });

/** A made-up arm with a smooth curve, for looking at the page without training anything. */
function arm(role: ArmRole, seed: number, end: number, shapes: ModelConfig[], flops: number): ReportArm {
  const points = Array.from({ length: 40 }, (_, i) => (i + 1) / 40);
  const iq = (level: number): IqScore[] =>
    ["copying", "replaceWord", "fullRepeating", "headSlicing"].map((task, i) => {
      const accuracy = Math.min(0.95, level * (0.2 + 0.2 * i));
      return {
        task,
        scoring: "likelihood",
        correct: Math.round(100 * accuracy),
        items: 100,
        accuracy,
        interval: [Math.max(0, accuracy - 0.1), accuracy + 0.1],
        chance: 0.25,
        atFloor: accuracy - 0.1 <= 0.25,
        unseen: task === "headSlicing",
      };
    });
  const operators: Record<string, string>[] = [{ residual: "msg", ffn: "msg", head: "msg" }, { depth: "msg" }];
  const grown = role === "growth three stages" || role === "growth one hop";
  return {
    id: `${role.replaceAll(" ", "-")}/seed-${seed}`,
    role,
    title: `${role}, seed ${seed}`,
    seed,
    learningRate: 0.006,
    curve: points.map((x) => ({ tokens: 2.5e6 * x, flops: flops * x, seconds: (flops * x) / 6e10, loss: end + 3.2 * Math.exp(-5 * x) })),
    growths: shapes.slice(1).map((_, i) => ({
      tokens: 2.5e6 * (0.5 + 0.25 * i),
      flops: flops * (0.5 + 0.25 * i),
      seconds: (flops * (0.5 + 0.25 * i)) / 6e10,
      step: 1000 * (i + 1),
      operators: operators[i]!,
      lossBefore: end + 0.2,
      lossAfter: end + 0.2,
      logitChange: 3e-7,
      proof: { logits: true, gradients: false, needsGates: true, refusals: [] },
    })),
    stages: shapes.map((model, i) => ({
      name: `${i + 1}: L${model.numLayers} C${model.residualDim}`,
      model,
      numParameters: numParameters(model),
      tokens: 8e5,
      flops: flops / shapes.length,
      validationLoss: end + 0.2 * (shapes.length - i - 1),
      bitsPerByte: 1.9,
      iq: grown && seed === 0 ? iq(0.6 + 0.2 * i) : [],
    })),
    finalLoss: end,
    bitsPerByte: 1.92,
    tokens: 2.5e6,
    flops,
    seconds: flops / 6e10,
    predictedSeconds: flops / 5.5e10,
    joules: 900,
    usd: 0.002,
    checkpointDigest: "0".repeat(64),
  };
}

export const sampleReport: ReproductionReport = {
  format: "espalier-report-1",
  createdAt: "2026-11-24T06:00:00.000Z",
  scale: "default",
  seed: 0,
  minutesAsked: 10,
  minutesTaken: 9.4,
  headline: "Growing in three stages reached 3.593 nats where training the same shape from scratch needed 1.3 times the FLOPs for 3.652.",
  caveat: "The best fixed shape at the grown run's FLOPs, a plain two-layer model, ended at 3.419: below every grown run. At this size the target is larger than is worth training.",
  machine: { cpu: "a processor", cores: 2, memoryBytes: 24e9, instructionPath: "avx512", compiler: "g++ 12.2", node: "24.21.0" },
  corpus: { name: "npm sources", digest: "ab".repeat(32), bytes: 22e6, documents: 3100, trainTokens: 7.1e6, validationTokens: 2e5, vocabSize: 1024, bytesPerToken: 2.9, proceduralShare: 0.1, leftOut: "headSlicing" },
  arms: [
    ...[0, 1, 2].flatMap((seed) => [
      arm("growth three stages", seed, 3.59 + 0.01 * seed, [shape(4, 48), shape(4, 96), shape(8, 96)], 5.3e12),
      arm("growth one hop", seed, 3.52 + 0.01 * seed, [shape(2, 96), shape(8, 96)], 4.9e12),
      arm("scratch bar", seed, 3.65 + 0.01 * seed, [shape(8, 96)], 6.9e12),
      arm("best fixed shape", seed, 3.42 + 0.01 * seed, [shape(2, 96)], 5.3e12),
    ]),
    arm("scratch equal tokens", 0, 3.31, [shape(8, 96)], 1.8e13),
    arm("pilot", 0, 4.1, [shape(8, 96)], 1.3e12),
  ],
  axisProbes: [{ axis: "ffn", operator: "msg", from: "H192", to: "H384", logitChange: 0, positions: 64, proof: { logits: true, gradients: false, needsGates: true, refusals: [] } }],
  comparisons: [
    {
      name: "three stages against the final shape from scratch at 1.3 times the FLOPs",
      s: 1.3,
      perSeed: [0, 1, 2].map((seed) => ({ seed, grown: 3.59 + 0.01 * seed, control: 3.65 + 0.01 * seed, passed: true })),
      meanDifference: -0.06,
      interval: [-0.08, -0.04],
      sentence: "The grown runs end 0.060 nats lower (95 % interval 0.040 to 0.080 over 3 seeds).",
    },
  ],
  equalLoss: [{ arm: "growth three stages", reference: "scratch, same shape", multiplier: 1.62, interval: [1.5, 1.74], note: "between two finished runs" }],
  trend: [
    { name: "d6", flops: 5.2e17, multiplier: 1.073, ours: false },
    { name: "d16", flops: 6.4e19, multiplier: 1.175, ours: false },
    { name: "this run", flops: 5.3e12, multiplier: 0.8, ours: true },
  ],
  claims: [
    { id: "growth.preserving", kind: "trained here", paper: "growth does not disturb the function", measured: "3e-7", verdict: "reproduced", why: "largest relative logit change over six growths" },
    { id: "cost.gpt3", kind: "arithmetic", paper: "376.41 +- 53.77", measured: "376.41 +- 53.77", verdict: "exact", why: "mean and half-difference of both forms", workings: "72 T L h^2 (1 + s/6h + V/16Lh)" },
    { id: "mup.transfer", kind: "later issue", paper: "hyper-parameters transfer", measured: "–", verdict: "not testable here", why: "no width search yet" },
  ],
  claimTotals: { "trained here": { reproduced: 1 }, arithmetic: { exact: 1 }, "later issue": { "not testable here": 1 } },
  plan: { parts: [{ name: "pilots", predictedSeconds: 40, measuredSeconds: 44 }], dropped: ["seeds 1 and 2 of scratch at equal tokens"] },
  memory: { predictedPeakBytes: 9.1e7, measuredPeakBytes: 9.2e7 },
  cost: { kwh: 0.004, usd: 0.02, kgCo2e: 0.0015, assumptions: ["15 W a core (assumed)"] },
};
