import type { CaseTensor, OpCase } from "../opCase.ts";

interface Options {
  transA?: number;
  transB?: number;
  alpha?: number;
  bias?: number;
  gelu?: number;
  gate?: number;
  residual?: number;
  savePre?: number;
  geluGrad?: number;
  biasGrad?: number;
  accumulate?: number;
  /** Value of the accumulate flag, mode 2. */
  flag?: number;
  bf16?: number;
  note?: string;
}

function matmul(M: number, N: number, K: number, options: Options = {}): OpCase {
  const { transA = 0, transB = 0, alpha = 1, bias = 0, gelu = 0, gate = 0, residual = 0, savePre = 0 } = options;
  const { accumulate = 0, flag = 0, bf16 = 0, geluGrad = 0, biasGrad = 0, note } = options;
  const inputs: CaseTensor[] = [{ shape: transA ? [K, M] : [M, K] }, { shape: transB ? [N, K] : [K, N] }];
  if (bias) inputs.push({ shape: [N] });
  if (gate) inputs.push({ shape: [N] });
  if (residual) inputs.push({ shape: [M, N] });
  if (geluGrad) inputs.push({ shape: [M, N] });
  if (accumulate === 2) inputs.push({ shape: [1], dtype: "i32", value: () => flag });
  const named = Object.entries(options).filter(([name, value]) => name !== "note" && value !== 0);
  return {
    op: "matmul",
    note: `${M}x${N}x${K}${named.map(([name, value]) => ` ${name}=${value}`).join("")}${note ? `, ${note}` : ""}`,
    inputs,
    attributes: { transA, transB, alpha, accumulate, bias, gelu, gate, residual, savePre, ...(bf16 && { bf16 }), ...(geluGrad && { geluGrad }), ...(biasGrad && { biasGrad }) },
    into: accumulate ? [{ shape: [M, N] }, ...(biasGrad ? [{ shape: [biasGrad === 1 ? M : N] }] : [])] : [],
  };
}

const transposes = [0, 1].flatMap((transA) => [0, 1].map((transB) => ({ transA, transB })));

const edges = [[1, 1, 1], [2, 3, 5], [7, 17, 9], [15, 33, 16], [13, 31, 70], [29, 65, 1], [14, 32, 64]] as const;

export const matmulCases: OpCase[] = [
  // Around every edge: one element, partial vectors, partial tiles, several panels.
  ...edges.flatMap(([M, N, K]) => transposes.map((flags) => matmul(M, N, K, flags))),
  ...transposes.map((flags) => matmul(19, 37, 2100, { ...flags, note: "three blocks of k" })),
  matmul(40, 1100, 300, { transB: 1, note: "two blocks of columns" }),
  matmul(130, 48, 48, { transB: 1, alpha: 0.125 }),
  { ...matmul(12, 10, 8), inputs: [{ shape: [3, 4, 8] }, { shape: [8, 10] }], note: "leading axes of a" },
  matmul(9, 35, 20, { transB: 1, bias: 1 }),
  matmul(9, 35, 20, { transB: 1, gelu: 1 }),
  matmul(9, 35, 20, { transB: 1, gate: 1 }),
  matmul(9, 35, 20, { transB: 1, residual: 1 }),
  matmul(30, 50, 20, { transB: 1, bias: 1, gelu: 1, savePre: 1 }),
  matmul(30, 50, 20, { transB: 1, bias: 1, gelu: 1, gate: 1, residual: 1, savePre: 1, alpha: 0.5 }),
  // The gradient of a GELU behind the product: alone, before a gate and a residual, in the library's epilogue and where it has none.
  matmul(9, 35, 20, { geluGrad: 1 }),
  matmul(30, 50, 1100, { geluGrad: 1, gate: 1, residual: 1, alpha: 0.5 }),
  matmul(5, 70, 129, { transB: 1, geluGrad: 1 }),
  matmul(9, 35, 20, { geluGrad: 1, bf16: 1 }),
  matmul(30, 48, 31, { geluGrad: 1, bf16: 1 }),
  matmul(30, 48, 32, { geluGrad: 1, bf16: 1 }),
  matmul(30, 48, 40, { geluGrad: 1, gate: 1, residual: 1, bf16: 1 }),
  // The gradient of a bias beside that of its weight, stored [out, in] and [in, out]: whole and partial tiles, one and several of
  // each direction, every way to accumulate, where the library has it and where it has not (K = 40).
  ...[0, 1].flatMap((bf16) =>
    [1, 2].flatMap((biasGrad) => [
      matmul(3, 5, 1, { transA: 1, biasGrad, bf16 }),
      matmul(24, 40, 40, { transA: 1, biasGrad, bf16 }),
      matmul(136, 264, 70, { transA: 1, biasGrad, bf16 }),
      matmul(260, 130, 300, { transA: 1, biasGrad, bf16, accumulate: 1 }),
      ...[0, 1].map((flag) => matmul(33, 21, 130, { transA: 1, biasGrad, bf16, accumulate: 2, flag })),
      matmul(33, 21, 2100, { transA: 1, biasGrad, bf16, accumulate: 2, flag: 1, note: "cut along k" }),
    ]),
  ),
  matmul(17, 40, 1100, { transB: 1, bias: 1, gelu: 1, gate: 1, savePre: 1, note: "epilogue after two blocks of k" }),
  matmul(20, 33, 1200, { transA: 1, accumulate: 1 }),
  ...[0, 1].map((bf16) => matmul(1180, 33, 24, { bf16, note: "two runs of rows" })),
  // Panels that are packed while those before them are multiplied: within a block of k and into the next, few rows and many.
  ...[0, 1].flatMap((bf16) => [9, 60].map((M) => matmul(M, 100, 2051, { transA: 1, accumulate: 1, bf16, note: "panels ahead" }))),
  matmul(20, 33, 30, { transA: 1, accumulate: 2, flag: 0 }),
  matmul(20, 33, 30, { transA: 1, accumulate: 2, flag: 1 }),
  // Few rows by stored columns, as in decoding: whole and partial squares, several blocks of k, all epilogues.
  ...[1, 2, 3, 4, 5, 6, 7, 8].map((M) => matmul(M, 50, 2101, { transB: 1, ...(M % 2 && { bf16: 1 }), alpha: 0.5 })),
  matmul(8, 70, 129, { transB: 1, bias: 1, gelu: 1, gate: 1, residual: 1, savePre: 1 }),
  matmul(4, 130, 600, { transB: 1, accumulate: 1, bf16: 1 }),
  matmul(1, 33, 512, { transB: 1, accumulate: 2, flag: 0 }),
  // Factors rounded to bf16, summed in pairs of k where the processor does: odd k, whole squares, several blocks.
  ...[...edges, [30, 50, 31], [33, 70, 129]].flatMap(([M, N, K]) => transposes.map((flags) => matmul(M!, N!, K!, { ...flags, bf16: 1 }))),
  ...transposes.map((flags) => matmul(19, 37, 2051, { ...flags, bf16: 1, note: "blocks of k" })),
  matmul(130, 48, 48, { transB: 1, alpha: 0.125, bf16: 1 }),
  matmul(30, 50, 20, { transB: 1, bias: 1, gelu: 1, gate: 1, residual: 1, savePre: 1, alpha: 0.5, bf16: 1 }),
  matmul(30, 48, 31, { transB: 1, bias: 1, gelu: 1, savePre: 1, bf16: 1 }),
  matmul(30, 48, 32, { gelu: 1, bf16: 1 }),
  matmul(30, 48, 40, { gelu: 1, bf16: 1 }),
  matmul(17, 40, 2300, { transB: 1, bias: 1, gelu: 1, gate: 1, savePre: 1, bf16: 1, note: "epilogue after blocks of k" }),
  matmul(20, 33, 2501, { transA: 1, accumulate: 1, bf16: 1 }),
  matmul(20, 33, 31, { transA: 1, accumulate: 2, flag: 0, bf16: 1 }),
  matmul(20, 33, 31, { transA: 1, accumulate: 2, flag: 1, bf16: 1 }),
];
