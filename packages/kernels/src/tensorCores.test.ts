/**
 * Products on tensor cores against the double-precision reference, which gets the same factors rounded to bf16: what is left
 * are fp32 sums (matmul, linearCrossEntropy) and, in attention, probabilities that are rounded before they are multiplied.
 */
import { random } from "@espalier/core";
import { referenceExecutor, roundToBf16 } from "@espalier/graph";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cudaExecutor } from "./cudaExecutor.ts";
import { cudaStatus, emulatedCuda } from "./cudaLibrary.ts";
import { runInBf16 } from "./testing/bf16Case.ts";
import { largestError, type CaseTensor, type OpCase, runCase } from "./testing/opCase.ts";

/** Normal numbers, as they are and rounded. */
function factor(shape: number[], label: string): { exact: CaseTensor; rounded: CaseTensor } {
  const stream = random(9, label);
  return { exact: { shape, value: (i) => stream.normal(i) }, rounded: { shape, value: (i) => roundToBf16(stream.normal(i)) } };
}

const i32 = (shape: number[], value: (i: number) => number): CaseTensor => ({ shape, dtype: "i32", value });
const plain = { transA: 0, transB: 0, alpha: 0.5, accumulate: 0, bias: 0, gelu: 0, gate: 0, residual: 0, savePre: 0 };

/** A case as the reference gets it and as the tensor cores do. */
interface Pair {
  title: string;
  expected: OpCase;
  found: OpCase;
  /** Largest allowed error of each output; 1.5 to 3 times what was measured. */
  tolerances: number[];
}

function matmulPair(M: number, N: number, K: number, options: Partial<typeof plain>): Pair {
  const attributes = { ...plain, ...options };
  const a = factor(attributes.transA ? [K, M] : [M, K], "a");
  const b = factor(attributes.transB ? [N, K] : [K, N], "b");
  const epilogue: CaseTensor[] = [
    ...(attributes.bias ? [factor([N], "bias").exact] : []),
    ...(attributes.gate ? [factor([N], "gate").exact] : []),
    ...(attributes.residual ? [factor([M, N], "residual").exact] : []),
  ];
  const into = attributes.accumulate ? [factor([M, N], "into").exact] : [];
  const shared = { op: "matmul", note: "", into };
  return {
    title: `matmul ${M}x${N}x${K} ${JSON.stringify(options)}`,
    expected: { ...shared, inputs: [a.rounded, b.rounded, ...epilogue], attributes },
    found: { ...shared, inputs: [a.exact, b.exact, ...epilogue], attributes },
    tolerances: attributes.savePre ? [1e-6, 1e-6] : [1e-6],
  };
}

function attentionPairs(B: number, T: number, N: number, G: number, D: number, lengths?: number[], documentLen?: number): Pair[] {
  const [q, k, v, y, dy] = ["q", "k", "v", "y", "dy"].map((name) => factor([B, T, name === "k" || name === "v" ? G : N, D], name));
  const starts = documentLen ? [i32([B, T], (i) => (i % T) - ((i % T) % documentLen))] : [];
  const live = lengths ? [i32([B], (b) => lengths[b]!), ...starts] : [];
  const lse: CaseTensor = { shape: [B, N, T], value: (i) => 5 + Math.sin(i) };
  const attributes = { scale: 1 / Math.sqrt(D) };
  const title = `B ${B} T ${T} N ${N} G ${G} D ${D}${lengths ? " with lengths" : ""}${documentLen ? ` and documents of ${documentLen}` : ""}`;
  const pair = (op: string, pick: (f: ReturnType<typeof factor>) => CaseTensor): OpCase => ({
    op,
    note: "",
    inputs: op === "causalAttention" ? [pick(q!), pick(k!), pick(v!), ...live] : [pick(q!), pick(k!), pick(v!), y!.exact, lse, pick(dy!), ...live],
    attributes,
  });
  return [
    {
      title: `causalAttention ${title}`,
      expected: pair("causalAttention", (f) => f.rounded),
      found: pair("causalAttention", (f) => f.exact),
      tolerances: [4e-3, 4e-7],
    },
    {
      title: `causalAttentionGrad ${title}`,
      expected: pair("causalAttentionGrad", (f) => f.rounded),
      found: pair("causalAttentionGrad", (f) => f.exact),
      tolerances: [6e-3, 6e-3, 6e-3],
    },
  ];
}

function lossPair(R: number, V: number, C: number): Pair {
  const x = factor([R, C], "x");
  const head = factor([V, C], "head");
  const rest = [i32([R], (i) => (i % 7 === 3 ? -1 : (i * 31) % V)), { shape: [R], value: () => 1 / R }];
  const shared = { op: "linearCrossEntropyWithGrad", note: "" };
  return {
    title: `linearCrossEntropyWithGrad R ${R} V ${V} C ${C}`,
    expected: { ...shared, inputs: [x.rounded, head.rounded, ...rest], attributes: { factor: 0.3, accumulate: 0 } },
    found: { ...shared, inputs: [x.exact, head.exact, ...rest], attributes: { factor: 0.3, accumulate: 0 } },
    tolerances: [4e-7, 4e-7, 0, 4e-7, 6e-3, 6e-3], // gradients: g is rounded
  };
}

const transposes = [0, 1].flatMap((transA) => [0, 1].map((transB) => ({ transA, transB })));
const pairs: Pair[] = [
  ...transposes.map((flags) => matmulPair(37, 45, 70, flags)),
  ...transposes.map((flags) => matmulPair(136, 144, 264, flags)),
  matmulPair(1, 1, 1, {}),
  matmulPair(130, 40, 48, { transB: 1, bias: 1, gelu: 1, gate: 1, residual: 1, savePre: 1 }),
  matmulPair(24, 56, 300, { transA: 1, accumulate: 1 }),
  // Cut along k: in every layout, an odd last part, rows of an odd length, and all that may follow.
  ...transposes.map((flags) => matmulPair(20, 24, 2100, flags)),
  matmulPair(20, 23, 3333, { transA: 1, accumulate: 1 }),
  matmulPair(20, 24, 2100, { transB: 1, bias: 1, gelu: 1, gate: 1, residual: 1, savePre: 1 }),
  // More than eight rows of tiles.
  matmulPair(1160, 260, 16, { transB: 1, residual: 1 }),
  ...attentionPairs(1, 1, 1, 1, 64),
  ...attentionPairs(2, 70, 2, 1, 64),
  ...attentionPairs(1, 130, 4, 2, 64),
  ...attentionPairs(3, 67, 2, 1, 64, [40, 67, 0]),
  ...attentionPairs(1, 97, 2, 2, 128),
  ...attentionPairs(2, 64, 2, 1, 128, [64, 13]),
  ...attentionPairs(2, 150, 2, 1, 64, [150, 131], 70),
  ...attentionPairs(1, 97, 2, 2, 128, [97], 11),
  lossPair(61, 130, 48),
  lossPair(150, 9000, 8),
];

const { available, device, libraryPath } = cudaStatus();
const emulated = emulatedCuda()!;
const libraries = [{ name: "the emulation", path: emulated }, ...(available && libraryPath !== emulated ? [{ name: device, path: libraryPath! }] : [])];

describe.each(libraries)("tensor cores of $name", ({ path }) => {
  const create = (emulationSeed = 1) => cudaExecutor({ libraryPath: path, precision: "bf16", emulationSeed });

  it.each(pairs.map((pair) => [pair.title, pair] as const))("%s agrees with the reference", async (_, { expected, found, tolerances }) => {
    const reference = await runCase(referenceExecutor(), expected);
    const values = await runCase(create(), found);
    const errors = reference.map((tensor, i) => largestError(tensor, values[i]!));
    if (process.env.ESPALIER_SHOW_ERRORS) process.stderr.write(`measured ${_}: ${errors.map((error) => error.toExponential(1)).join(" ")}\n`);
    errors.forEach((error, i) => expect(error, `output ${i}`).toBeLessThanOrEqual(tolerances[i]!));
  });

  it.each(pairs.map((pair) => [pair.title, pair] as const))("%s has the same bits in any order of threads", async (_, { found }) => {
    const [one, ...others] = await Promise.all([1, 2, 5].map((seed) => runCase(create(seed), found)));
    for (const other of others) expect(other).toEqual(one);
  });
});

/** What is tested of Hopper's kernels, on the emulation, which takes them when a setting says so. */
const hopper: { name: string; setting: string; pairs: Pair[] }[] = [
  {
    name: "products",
    setting: "ESPALIER_CUDA_GEMM",
    // Two blocks either way, more steps than stages, and edges everywhere.
    pairs: [...pairs.filter(({ title }) => title.startsWith("matmul")), ...transposes.map((flags) => matmulPair(140, 270, 330, flags))],
  },
  {
    name: "attention",
    setting: "ESPALIER_CUDA_ATTENTION",
    // Also more tiles of keys than are in shared memory at once, and documents that begin behind several of them.
    pairs: [
      ...pairs.filter(({ title }) => title.startsWith("causalAttention")),
      ...attentionPairs(1, 420, 2, 1, 64),
      ...attentionPairs(1, 400, 1, 1, 128),
      ...attentionPairs(2, 410, 2, 1, 64, [410, 333], 170),
    ],
  },
];

describe.each(hopper)("Hopper's $name on the emulation", ({ setting, pairs }) => {
  const create = (emulationSeed = 1) => cudaExecutor({ libraryPath: emulated, precision: "bf16", emulationSeed });
  beforeAll(() => void (process.env[setting] = "wgmma"));
  afterAll(() => void delete process.env[setting]);

  it.each(pairs.map((pair) => [pair.title, pair] as const))("%s agree with the reference, with the same bits in any order of threads and copies", async (_, { expected, found, tolerances }) => {
    const reference = await runCase(referenceExecutor(), expected);
    const [one, ...others] = await Promise.all([1, 2, 5].map((seed) => runCase(create(seed), found)));
    const errors = reference.map((tensor, i) => largestError(tensor, one![i]!));
    if (process.env.ESPALIER_SHOW_ERRORS) process.stderr.write(`measured ${_}: ${errors.map((error) => error.toExponential(1)).join(" ")}\n`);
    errors.forEach((error, i) => expect(error, `output ${i}`).toBeLessThanOrEqual(tolerances[i]!));
    for (const other of others) expect(other).toEqual(one);
  });

  it("are those that ran: mma.sync adds up in another order", async () => {
    const { found } = pairs.at(-1)!;
    const wgmma = await runCase(create(), found);
    process.env[setting] = "mma";
    const mma = await runCase(create(), found);
    process.env[setting] = "wgmma";
    expect(mma).not.toEqual(wgmma);
  });
});

describe("Hopper's attention on the emulation, besides", () => {
  beforeAll(() => void (process.env.ESPALIER_CUDA_ATTENTION = "wgmma"));
  afterAll(() => void delete process.env.ESPALIER_CUDA_ATTENTION);
  const lengths = [333, 70];
  const cases = (D: number) => attentionPairs(2, 333, 2, 1, D, lengths);
  const inBf16 = (opCase: OpCase, seed: number) => runInBf16({ ...opCase, attributes: { ...opCase.attributes, bf16: 1 } }, seed);

  // One tile of keys, whose turn never comes, and several; with values behind a length, which all threads clear between two turns.
  const alone = [...attentionPairs(1, 100, 2, 1, 64), ...attentionPairs(1, 100, 1, 1, 128)];
  const forward = [...alone, ...cases(64), ...cases(128)].filter(({ found }) => found.op === "causalAttention");

  it.each(forward.map((pair) => [pair.title, pair] as const))("%s has the same bits whether warpgroups take turns or not", async (_, { found }) => {
    const taken = await Promise.all([1, 2, 3, 4].map((seed) => inBf16(found, seed)));
    process.env.ESPALIER_CUDA_ATTENTION_TURNS = "0";
    const not = await inBf16(found, 2);
    delete process.env.ESPALIER_CUDA_ATTENTION_TURNS;
    for (const values of taken) expect(values).toEqual(not);
  });

  it.each([...cases(64), ...cases(128)].map((pair) => [pair.title, pair] as const))("%s stores in bf16 what it computes", async (_, { expected, found, tolerances }) => {
    const reference = await runCase(referenceExecutor(), expected);
    const [one, other] = await Promise.all([1, 3].map((seed) => inBf16(found, seed)));
    reference.forEach((tensor, i) => expect(largestError(tensor, one![i]!), `output ${i}`).toBeLessThanOrEqual(tolerances[i]! + 2 ** -8));
    expect(other).toEqual(one);
  });

  it.each([...cases(64), ...cases(128)].map((pair) => [pair.title, pair] as const))("%s sees nothing behind a sequence's length", async (_, { found }) => {
    const spoil = (tensor: CaseTensor): CaseTensor => {
      const [, T, N, D] = tensor.shape;
      if (N === undefined || D === undefined) return tensor; // lse, lengths
      return { ...tensor, value: (i) => (Math.floor(i / (N * D)) % T! < lengths[Math.floor(i / (T! * N * D))]! ? tensor.value!(i) : NaN) };
    };
    const whole = await inBf16(found, 1);
    expect(await inBf16({ ...found, inputs: found.inputs.map(spoil) }, 2)).toEqual(whole);
    expect(whole.flatMap((tensor) => Array.from(tensor)).some(Number.isNaN)).toBe(false);
  });
});
