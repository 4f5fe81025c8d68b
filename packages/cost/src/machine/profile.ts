import { cpuPowerRows } from "../catalogue/hardware.ts";
import { priceRows } from "../catalogue/prices.ts";

/** A number with its origin; `assumed` when nobody measured it on this machine. */
export interface Sourced {
  value: number;
  source: string;
  assumed: boolean;
}

/** Rate of one thread on matrix products of one size. */
export interface GemmRate {
  /** FLOPs of one product, 2 m n k. */
  flops: number;
  /** GFLOP/s of one thread. */
  gflops: number;
}

/** What the cost of a run on this machine follows from. Rates are of one thread with every core busy. */
export interface MachineProfile {
  name: string;
  cores: number;
  /** Measured by size class, any order; rates between classes are interpolated, beyond them held. */
  gemm: readonly GemmRate[];
  /** GFLOP/s of causal attention counted as full scores. */
  attentionGflops: number;
  /** Memory and cache traffic of elementwise work, bytes a second. */
  bytesPerSecond: number;
  /** Time of an op beyond its arithmetic. */
  opOverheadSeconds: number;
  wattsPerCore: Sourced;
  usdPerCoreHour: Sourced;
}

/** Power and price from the catalogue, said to be assumed, for a machine that measures neither. */
export function assumedPowerAndPrice(cpu: "unknown" | "server" = "server"): Pick<MachineProfile, "wattsPerCore" | "usdPerCoreHour"> {
  const power = cpuPowerRows.find((row) => row.id === cpu)!;
  const price = priceRows.find((row) => row.device === "cpu-core")!;
  return {
    wattsPerCore: { value: power.wattsPerCore, source: `${power.date}, ${power.note}, ${power.url}`, assumed: true },
    usdPerCoreHour: { value: price.usdPerHour, source: `${price.date}, ${price.provider} ${price.note}, ${price.url}`, assumed: true },
  };
}

/**
 * Rates relative to a large matrix product, measured with this project's fp32 kernels (AVX-512, one thread of a Zen 5
 * EPYC, batch 8 x 128, C = 32 to 512): products 142 to 221 GFLOP/s, attention about 180, elementwise work 60 GB/s.
 */
const SHARES = {
  gemm: [
    { flops: 2e6, share: 0.6 },
    { flops: 5e6, share: 0.77 },
    { flops: 2e7, share: 0.86 },
    { flops: 8e7, share: 0.96 },
    { flops: 5e8, share: 1 },
  ],
  attention: 0.82,
  bytesPerFlop: 0.27,
};

/**
 * A profile from one number, the GFLOP/s of one thread on a large matrix product, before anything else is measured.
 * The other rates keep the proportions of this project's kernels on one machine: calibrate with pilots (`calibrateSteps`).
 */
export function roughProfile({ name, cores, gflopsPerThread }: { name: string; cores: number; gflopsPerThread: number }): MachineProfile {
  return {
    name,
    cores,
    gemm: SHARES.gemm.map(({ flops, share }) => ({ flops, gflops: share * gflopsPerThread })),
    attentionGflops: SHARES.attention * gflopsPerThread,
    bytesPerSecond: SHARES.bytesPerFlop * gflopsPerThread * 1e9,
    opOverheadSeconds: 0.5e-6,
    ...assumedPowerAndPrice(),
  };
}

/** Rate of one thread on a product of that many FLOPs: linear in (log FLOPs, log rate) between measured classes. */
export function gemmGflops(machine: Pick<MachineProfile, "gemm">, flops: number): number {
  const classes = machine.gemm.toSorted((a, b) => a.flops - b.flops);
  if (flops <= classes[0]!.flops) return classes[0]!.gflops;
  for (let i = 1; i < classes.length; i++) {
    const low = classes[i - 1]!;
    const high = classes[i]!;
    if (flops > high.flops) continue;
    const share = Math.log(flops / low.flops) / Math.log(high.flops / low.flops);
    return low.gflops * (high.gflops / low.gflops) ** share;
  }
  return classes.at(-1)!.gflops;
}
