import type { ClusterDeviceRow } from "../catalogue/clusterDevices.ts";

/**
 * Output tiles that libraries choose from, and the share of the best rate that each reaches: a tile of m x n reads
 * (m + n) / (m n) of its operands per product, so small tiles wait for shared memory.
 */
const TILES = [
  { m: 256, n: 128, share: 1 },
  { m: 128, n: 256, share: 1 },
  { m: 128, n: 128, share: 0.95 },
  { m: 128, n: 64, share: 0.8 },
  { m: 64, n: 64, share: 0.6 },
] as const;

/** Columns of K that filling the pipeline and writing the tile cost. */
const K_RAMP = 128;

/** Sizes that are no multiple of 64 run about 20 % slower than a neighbour that is: vTrain's pairs, same nodes and layout. */
const UNALIGNED = 1 / 0.8;

/**
 * Seconds of `batch` products [M, K] x [K, N] on one device at the best measured rate:
 * `waves * SMs * tile * 2 (K + ramp) / rate`, the best of a few tile shapes, at least the bytes over the bandwidth.
 * Tile quantisation is the rounding up of M and N, wave quantisation that of tiles to SMs.
 *
 * @param rate         FLOP/s of the best measured product
 * @param elementBytes of both operands
 */
export function gemmSeconds(d: ClusterDeviceRow, rate: number, M: number, N: number, K: number, batch = 1, elementBytes = 2): number {
  let best = Infinity;
  for (let i = 0; i < TILES.length; i++) {
    const tile = TILES[i]!;
    const tiles = batch * Math.ceil(M / tile.m) * Math.ceil(N / tile.n);
    const waves = Math.ceil(tiles / d.numSms);
    const seconds = (waves * d.numSms * tile.m * tile.n * 2 * (K + K_RAMP)) / (rate * tile.share);
    if (seconds < best) best = seconds;
  }
  if (N % 64 !== 0 || K % 64 !== 0) best *= UNALIGNED;
  const bytes = batch * ((M * K + K * N) * elementBytes + M * N * 2);
  return Math.max(best, bytes / (d.memoryGbPerSecond * 1e9));
}
