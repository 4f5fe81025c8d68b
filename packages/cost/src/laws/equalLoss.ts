/** A finished run, or a point of a curve: training FLOPs and validation loss in nats per token. */
export interface LossPoint {
  flops: number;
  loss: number;
}

/**
 * FLOPs at which a set of measured points reaches a loss: linear in (log loss, log FLOPs) between the two neighbouring
 * points. `null` outside the measured losses: it is never extrapolated.
 *
 * Points are read in order of FLOPs; the first pair that straddles the loss counts.
 */
export function flopsAtLoss(points: readonly LossPoint[], loss: number): number | null {
  const sorted = points.toSorted((p, q) => p.flops - q.flops);
  for (const point of sorted) if (point.loss === loss) return point.flops;
  for (let i = 1; i < sorted.length; i++) {
    const p = sorted[i - 1]!;
    const q = sorted[i]!;
    if ((p.loss - loss) * (q.loss - loss) > 0) continue;
    const share = Math.log(loss / p.loss) / Math.log(q.loss / p.loss);
    return p.flops * (q.flops / p.flops) ** share;
  }
  return null;
}

/** One reading of the multiplier: at the loss of one point of the method. */
export interface EqualLossMultiplier {
  loss: number;
  methodFlops: number;
  /** FLOPs the reference needs for the same loss; null outside its measured range. */
  referenceFlops: number | null;
  /** pi = reference FLOPs / method FLOPs; above 1 the method is cheaper. */
  multiplier: number | null;
}

/**
 * Equal-loss multiplier `pi(loss) = C_reference(loss) / C_method(loss)` at each of the method's points.
 *
 * @param reference points of the model trained without the method, any order
 * @param method    points of the method, all of its FLOPs counted, earlier stages included
 */
export function equalLossMultiplier(reference: readonly LossPoint[], method: readonly LossPoint[]): EqualLossMultiplier[] {
  return method.map(({ flops, loss }) => {
    const referenceFlops = flopsAtLoss(reference, loss);
    return { loss, methodFlops: flops, referenceFlops, multiplier: referenceFlops === null ? null : referenceFlops / flops };
  });
}

/** Share of FLOPs saved by a multiplier: 1 - 1/pi. */
export function savingFromMultiplier(multiplier: number): number {
  return 1 - 1 / multiplier;
}

/** Share of FLOPs saved by a speed-up s in percent as G_stack defines it (FLOPs scratch / grown - 1): s / (100 + s). */
export function savingFromSpeedup(speedupPercent: number): number {
  return speedupPercent / (100 + speedupPercent);
}
