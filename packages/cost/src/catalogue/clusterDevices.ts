import type { Source } from "./types.ts";

/** An accelerator as a training step sees it. Rates are dense; products by the best that anyone measured, not the data sheet. */
export interface ClusterDeviceRow extends Source {
  id: string;
  peakBf16Tflops: number;
  /** Best measured bf16 matrix product. */
  matmulTflops: number;
  /** Best measured FP8 matrix product; absent where the device has none. */
  matmulFp8Tflops?: number;
  /** Streaming multiprocessors: output tiles computed at once. */
  numSms: number;
  /** Causal flash attention, forward and backward together, long sequences, head size 128. */
  attentionTflops: number;
  memoryGb: number;
  memoryGbPerSecond: number;
  /** One direction, one device. */
  nvlinkGbPerSecond: number;
  /** Usual network of one device. */
  interNodeGbitPerSecond: number;
  nodeSize: number;
  tdpWatts: number;
}

const MATMUL = "products: best measured, stas00/ml-engineering";
const FLASH2 = "attention: Dao 2023, arXiv:2307.08691, figures 4 and 7, d = 128 causal";
const A100 = { peakBf16Tflops: 312, matmulTflops: 271.2, numSms: 108, attentionTflops: 187, nodeSize: 8, tdpWatts: 400, interNodeGbitPerSecond: 200 };
const H100 = { peakBf16Tflops: 989.4, matmulTflops: 794.5, matmulFp8Tflops: 1402.6, numSms: 132, attentionTflops: 328, nodeSize: 8, interNodeGbitPerSecond: 400 };

export const clusterDeviceRows: readonly ClusterDeviceRow[] = [
  { id: "A100-SXM-80GB", ...A100, memoryGb: 80, memoryGbPerSecond: 2039, nvlinkGbPerSecond: 300, url: "https://www.techpowerup.com/gpu-specs/a100-sxm4-80-gb.c3746", date: "2020-11-16", note: `${MATMUL}; ${FLASH2}` },
  { id: "A100-SXM-40GB", ...A100, memoryGb: 40, memoryGbPerSecond: 1555, nvlinkGbPerSecond: 300, url: "https://www.nvidia.com/content/dam/en-zz/Solutions/Data-Center/a100/pdf/nvidia-a100-datasheet-us-nvidia-1758950-r4-web.pdf", date: "2020-05-14", note: `${MATMUL}; ${FLASH2}` },
  { id: "A800-SXM-80GB", ...A100, memoryGb: 80, memoryGbPerSecond: 2039, nvlinkGbPerSecond: 200, url: "https://www.techpowerup.com/gpu-specs/a800-sxm4-80-gb.c3966", date: "2022-11-07", note: "A100 with NVLink cut to 400 GB/s both ways; products and attention of the A100" },
  { id: "H100-SXM-80GB", ...H100, memoryGb: 80, memoryGbPerSecond: 3350, nvlinkGbPerSecond: 450, tdpWatts: 700, url: "https://resources.nvidia.com/en-us-tensor-core/nvidia-tensor-core-gpu-datasheet", date: "2022-09-20", note: `${MATMUL}; ${FLASH2}` },
  {
    id: "H100-96GB-HBM2e-500W",
    ...H100,
    // Nobody published a product at 500 W. Clock falls with about the square root of the power cap: sqrt(500/700) = 0.845.
    matmulTflops: 671,
    matmulFp8Tflops: 1185,
    attentionTflops: 277,
    memoryGb: 96,
    memoryGbPerSecond: 2400,
    nvlinkGbPerSecond: 450,
    tdpWatts: 500,
    url: "https://github.com/pytorch/torchtitan/blob/b5bcd76c66d0acb1a08b176d9639425bc55e0b2a/benchmarks/llama3_h100_202412_torchtitan.md",
    date: "2024-12-26",
    note: "rates of the H100 times sqrt(500 W / 700 W): derived, not measured",
  },
  { id: "H800-SXM-80GB", ...H100, memoryGb: 80, memoryGbPerSecond: 3360, nvlinkGbPerSecond: 200, tdpWatts: 700, url: "https://www.techpowerup.com/gpu-specs/h800-sxm5.c3975", date: "2023-03-21", note: "H100 with NVLink cut to 400 GB/s both ways; products and attention of the H100" },
  { id: "H200-SXM-141GB", ...H100, matmulFp8Tflops: 1453.4, memoryGb: 141, memoryGbPerSecond: 4800, nvlinkGbPerSecond: 450, tdpWatts: 700, url: "https://nvdam.widen.net/s/nb5zzzsjdf/hpc-datasheet-sc23-h200-datasheet-3002446", date: "2024-11-18", note: MATMUL },
  {
    id: "B200-SXM-180GB",
    peakBf16Tflops: 2250,
    matmulTflops: 1745,
    matmulFp8Tflops: 3432.5,
    numSms: 148,
    // No figure of its own in the catalogue: the H100's share of its measured product.
    attentionTflops: 720,
    nodeSize: 8,
    interNodeGbitPerSecond: 400,
    memoryGb: 180,
    memoryGbPerSecond: 8000,
    nvlinkGbPerSecond: 900,
    tdpWatts: 1000,
    url: "https://github.com/stas00/ml-engineering/blob/744d01e18b79512572f64a6bbd8b5f4a725203a7/compute/accelerator/README.md",
    date: "2026-08-22",
    note: `${MATMUL}; attention assumed`,
  },
];
