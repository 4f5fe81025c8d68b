/** Cases of layerNorm, rmsNorm and their gradients, alone and with residuals, with and without channel weights. */
import type { OpCase } from "../opCase.ts";
import { accumulations, f32, matrices } from "./operands.ts";

/** Channel weights as gates make them: mostly 1, some between 0 and 1, some 0. */
function channelWeight(c: number): number {
  return c % 5 === 3 ? 0.25 : c % 7 === 6 ? 0 : 1;
}

function normCases([R, C]: readonly [number, number], weighted: boolean): OpCase[] {
  const c = weighted ? [f32([C], channelWeight)] : [];
  const note = `[${R}, ${C}]${weighted ? " with channel weights" : ""}`;
  const rows = f32([R, C]);
  const gain = f32([C]);
  const mean = f32([R]);
  const rstd = f32([R], (r) => 0.5 + (r % 3));
  const attributes = { epsilon: 1e-5 };
  return [
    { op: "layerNorm", note, attributes, inputs: [rows, gain, f32([C]), ...c] },
    // With one channel dx is the rounding error of a difference: nothing to compare.
    ...(C > 1 ? [{ op: "layerNormGrad", note, inputs: [rows, rows, mean, rstd, gain, ...c] }] : []),
    { op: "rmsNorm", note, attributes, inputs: [rows, gain, ...c] },
    { op: "rmsNormGrad", note, inputs: [rows, rows, rstd, gain, ...c] },
    { op: "addLayerNorm", note, attributes, inputs: [rows, rows, gain, f32([C]), ...c] },
    ...(C > 1 ? [{ op: "layerNormGradAdd", note, inputs: [rows, rows, mean, rstd, gain, rows, ...c] }] : []),
    { op: "addRmsNorm", note, attributes, inputs: [rows, rows, gain, ...c] },
    { op: "rmsNormGradAdd", note, inputs: [rows, rows, rstd, gain, rows, ...c] },
    ...accumulations.flatMap((mode) => [1, 0].map((hasMean): OpCase => ({
      op: "normParameterGrad",
      note: `${note}${hasMean ? "" : " without mean"} ${mode.note}`,
      inputs: [rows, rows, ...(hasMean ? [mean] : []), rstd, ...c, ...mode.flag],
      into: hasMean ? [f32([C]), f32([C])] : [f32([C])],
      attributes: { accumulate: mode.accumulate, hasMean, hasChannelWeights: Number(weighted) },
    }))),
  ];
}

export const normOpCases: readonly OpCase[] = matrices.flatMap((shape) => [
  ...normCases(shape, false),
  ...(shape[1] > 1 ? normCases(shape, true) : []),
]);
