import type { Source } from "./types.ts";

/** An accelerator: dense bf16 peak, the best matrix product anyone measured on it, memory and power. */
export interface AcceleratorRow extends Source {
  id: string;
  peakBf16Tflops: number;
  /** Best measured bf16 matrix product, a ceiling below the data sheet; absent where nobody measured. */
  measuredBf16Tflops?: number;
  memoryGb: number;
  memoryGbPerSecond: number;
  tdpWatts: number;
}

export const acceleratorRows: readonly AcceleratorRow[] = [
  { id: "A100-SXM4-80GB", peakBf16Tflops: 312, measuredBf16Tflops: 271.2, memoryGb: 80, memoryGbPerSecond: 2039, tdpWatts: 400, url: "https://www.techpowerup.com/gpu-specs/a100-sxm4-80-gb.c3746", date: "2020-11-16" },
  { id: "A800-SXM4-80GB", peakBf16Tflops: 311.8, memoryGb: 80, memoryGbPerSecond: 2039, tdpWatts: 400, url: "https://www.techpowerup.com/gpu-specs/a800-sxm4-80-gb.c3966", date: "2022-11-07", note: "A100 with NVLink cut to 400 GB/s; FLM-101B takes 312 as peak" },
  { id: "H100-SXM5-80GB", peakBf16Tflops: 989.4, measuredBf16Tflops: 794.5, memoryGb: 80, memoryGbPerSecond: 3350, tdpWatts: 700, url: "https://resources.nvidia.com/en-us-tensor-core/nvidia-tensor-core-gpu-datasheet", date: "2022-09-20" },
  { id: "H200-SXM-141GB", peakBf16Tflops: 989.5, measuredBf16Tflops: 794.5, memoryGb: 141, memoryGbPerSecond: 4800, tdpWatts: 700, url: "https://nvdam.widen.net/s/nb5zzzsjdf/hpc-datasheet-sc23-h200-datasheet-3002446", date: "2024-11-18" },
];

/** Power of one CPU core under load: thermal design power over cores. */
export interface CpuPowerRow extends Source {
  id: string;
  wattsPerCore: number;
}

const GREEN_ALGORITHMS_CPU = {
  url: "https://github.com/GreenAlgorithms/green-algorithms-tool/blob/23a6c015343db15e21e23d81689d6e5cdc411313/data/latest/TDP_cpu.csv",
  date: "2025-02-05",
};

export const cpuPowerRows: readonly CpuPowerRow[] = [
  { id: "unknown", wattsPerCore: 12, ...GREEN_ALGORITHMS_CPU, note: "its row \"Any\"; an assumption, not a measurement of this machine" },
  { id: "server", wattsPerCore: 4.2, ...GREEN_ALGORITHMS_CPU, note: "its row AMD EPYC 7552: 200 W over 48 cores" },
];
