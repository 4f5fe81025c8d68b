/** Between the baselines of two labels, pixels. */
const SPACING = 17;

export interface EndLabel {
  role: string;
  /** Mean loss of the role's runs. */
  mean: number;
  /** Where the label stands on the loss axis: at the mean, or moved so that no two overlap. */
  y: number;
}

/**
 * One label a role at the mean loss of its runs, at least `SPACING` pixels apart and inside the domain.
 *
 * @param domain loss at the bottom and at the top
 * @param pixels height of the domain
 */
export function endLabels(ends: readonly { role: string; loss: number }[], domain: readonly [number, number], pixels: number): EndLabel[] {
  const gap = ((domain[1] - domain[0]) * SPACING) / pixels;
  const labels = [...new Set(ends.map(({ role }) => role))]
    .map((role) => {
      const losses = ends.filter((end) => end.role === role).map((end) => end.loss);
      const mean = losses.reduce((a, b) => a + b, 0) / losses.length;
      return { role, mean, y: mean };
    })
    .toSorted((a, b) => a.mean - b.mean);
  let floor = domain[0] + gap / 2;
  for (const label of labels) {
    label.y = Math.max(label.y, floor);
    floor = label.y + gap;
  }
  let ceiling = domain[1];
  for (const label of labels.toReversed()) {
    label.y = Math.min(label.y, ceiling);
    ceiling = label.y - gap;
  }
  return labels;
}
