/**
 * Share of the cost saved by a growth curve against the final size throughout, at equal tokens: one minus the area
 * under parameters against tokens, both as shares of their end values. Linear growth from nothing saves one half.
 *
 * The curve is piecewise linear through the given points, so the trapezoidal area is exact.
 *
 * @param points (share of tokens, share of final parameters), tokens rising from 0 to 1
 */
export function growthCurveSaving(points: readonly (readonly [tokens: number, parameters: number])[]): number {
  let area = 0;
  for (let i = 1; i < points.length; i++) {
    const [t0, n0] = points[i - 1]!;
    const [t1, n1] = points[i]!;
    area += ((n0 + n1) / 2) * (t1 - t0);
  }
  return 1 - area;
}

/** The saving of stages of fixed size: a growth curve of steps. */
export function stagedSaving(stages: readonly { parameters: number; tokens: number }[]): number {
  const totalTokens = stages.reduce((sum, stage) => sum + stage.tokens, 0);
  const final = stages.at(-1)!.parameters;
  return 1 - stages.reduce((sum, stage) => sum + stage.parameters * stage.tokens, 0) / (totalTokens * final);
}
