import { type ReferenceOp } from "./call.ts";
import { random16, roundStochastically } from "./stochasticRounding.ts";

/** One AdamW step in place, with the age and the rate of each entry's birth; skipped when the norm is not finite. */
export const adamw: ReferenceOp = ({ inputs, outputs: [param, m, v], attributes }) => {
  const [grad, norm, step, births, rowBirth, colBirth] = inputs;
  const { beta1, beta2, epsilon, weightDecay, rateScale, stochasticSeed } = attributes;
  const [learningRate, clipNorm] = step.data;
  if (!Number.isFinite(norm.data[0])) return;
  const clip = clipNorm > 0 ? Math.min(1, clipNorm / norm.data[0]) : 1;
  const columns = rowBirth ? grad.data.length / rowBirth.data.length : grad.data.length;

  for (let i = 0; i < grad.data.length; i++) {
    const g = grad.data[i] * clip;
    m.data[i] = beta1 * m.data[i] + (1 - beta1) * g;
    v.data[i] = beta2 * v.data[i] + (1 - beta2) * g * g;
    const row = rowBirth ? rowBirth.data[Math.floor(i / columns)] : 0;
    const column = colBirth ? colBirth.data[i % columns] : 0;
    const birth = 3 * Math.max(row, column);
    const mhat = m.data[i] / births.data[birth];
    const vhat = v.data[i] / births.data[birth + 1];
    const rate = learningRate * rateScale * births.data[birth + 2];
    param.data[i] -= rate * (mhat / (Math.sqrt(vhat) + epsilon) + weightDecay * param.data[i]);
    if (stochasticSeed) param.data[i] = roundStochastically(param.data[i], random16(stochasticSeed, step.data[2], i));
  }
};
