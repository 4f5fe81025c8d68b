import { opTable, referenceExecutor } from "@espalier/graph";
import { describe, expect, it } from "vitest";
import { availableBackends } from "./availableBackends.ts";
import { largestError, type OpCase, runCase } from "./testing/opCase.ts";
import { opCases } from "./testing/opCases.ts";

/**
 * Largest allowed max |a - b| / max |a| against the reference in double precision, by op: two to four times the
 * largest value measured over all cases and paths, which stands behind it. `ESPALIER_SHOW_ERRORS=1` prints them.
 */
const tolerances: Record<string, number> = {
  default: 1e-6,
  blend: 2e-6, // 4.3e-7, one element whose two parts nearly cancel
  gelu: 2e-6, // 4.3e-7, relative to gelu(-5) = -1e-6: the argument of exp is rounded
  geluGrad: 2e-6, // 4.5e-7, likewise
  gatherRows: 0, // a copy
  writeRows: 0, // likewise
  causalAttention: 1.5e-6, // 3.6e-7, D 128
  causalAttentionGrad: 5e-6, // 1.2e-6
  matmul: 2e-6, // 6e-7: sums of 1050 products
  linearCrossEntropyGrad: 4e-6, // 1.1e-6
  linearCrossEntropyWithGrad: 1e-5, // 3.6e-6: dx sums 9000 products, portable path
  gradNorm: 1e-7, // 3.2e-8: one rounding to float
};

const native = availableBackends().filter(({ name }) => name !== "reference");
const title = ({ op, note }: OpCase) => `${op} ${note}`;

describe("the native backends", () => {
  it("are there: without the addon these tests would test nothing", () => {
    expect(native.map(({ name }) => name)).toContain("cpu portable");
  });

  it("have a case for every op of the table", () => {
    const covered = new Set(opCases.map(({ op }) => op));
    expect(Object.keys(opTable).filter((op) => !covered.has(op))).toEqual([]);
  });
});

describe.each(native)("ops on $name", ({ create }) => {
  const executor = create({ numThreads: 1 });

  it.each(opCases.map((opCase) => [title(opCase), opCase] as const))("%s agrees with the reference", async (_, opCase) => {
    const expected = await runCase(referenceExecutor(), opCase);
    const found = await runCase(executor, opCase);
    const allowed = (tolerances[opCase.op] ?? tolerances.default!) * (opCase.patience ?? 1);
    const errors = expected.map((values, i) => largestError(values, found[i]!));
    if (process.env.ESPALIER_SHOW_ERRORS) process.stderr.write(`measured ${title(opCase)}: ${errors.map((error) => error.toExponential(1)).join(" ")}\n`);
    expect(Math.max(...errors)).toBeLessThanOrEqual(allowed);
  });
});

describe.each(native)("threads on $name", ({ create }) => {
  // A grain of 0 shares every op, however small, so that the split is what is tested.
  const executors = [1, 2, 3, 5].map((numThreads) => create({ numThreads, parallelGrain: 0 }));

  it.each(opCases.map((opCase) => [title(opCase), opCase] as const))("%s has the same bits for any number of them", async (_, opCase) => {
    const [one, ...others] = await Promise.all(executors.map((executor) => runCase(executor, opCase)));
    for (const other of others) expect(other).toEqual(one);
  });
});
