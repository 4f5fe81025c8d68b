import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { aggregate, bootstrapStandardError, pooledStandardError, standardError } from "./aggregate.ts";

const golden = new URL("../../../../../shared/data/eval/golden/python_random_and_stats.json", import.meta.url);
const meanOf = (scores: readonly unknown[]) => (scores as number[]).reduce((sum, x) => sum + x, 0) / scores.length;

describe("aggregate", () => {
  it("gives perplexities, bits and F1 as they are defined", () => {
    expect(aggregate("perplexity", [-1, -3])).toBeCloseTo(Math.exp(2), 12);
    expect(aggregate("weighted_perplexity", [[-6, 2], [-4, 3]])).toBeCloseTo(Math.exp(2), 12);
    expect(aggregate("bits_per_byte", [[-Math.LN2 * 3, 2], [-Math.LN2, 2]])).toBeCloseTo(1, 12);
    // sklearn.metrics.f1_score([1,1,0,1], [1,0,1,1]) and matthews_corrcoef of the same
    const pairs = [[1, 1], [1, 0], [0, 1], [1, 1]];
    expect(aggregate("f1", pairs)).toBeCloseTo(2 / 3, 12);
    expect(aggregate("mcc", pairs)).toBeCloseTo(-1 / 3, 12);
    expect(aggregate("f1_three", [[0, 0], [1, 1], [2, 1]])).toBeCloseTo((1 + 2 / 3 + 0) / 3, 12);
    expect(aggregate("mcc", [[1, 1], [1, 1]])).toBe(0);
  });

  it("has no error of one document, of weighted perplexity and of bits", () => {
    expect(standardError("mean", [1], 100)).toBeNull();
    expect(standardError("bits_per_byte", [[-1, 1], [-2, 1]], 100)).toBeNull();
    expect(standardError("mean", [1, 0, 0, 1], 0)).toBeCloseTo(Math.sqrt(0.25 / 3), 12);
  });

  it.skipIf(!existsSync(golden))("equals CPython's recorded errors (needs ../shared/data/eval)", () => {
    const recorded = JSON.parse(readFileSync(golden, "utf8")) as Record<string, never>;
    const [xs, lls] = [recorded.xs as number[], recorded.lls as number[]];
    expect(standardError("mean", xs, 0)).toBeCloseTo(recorded["mean_stderr(xs)"], 14);
    for (const n of [100, 2000]) expect(bootstrapStandardError(meanOf, xs, n)).toBeCloseTo(recorded[`bootstrap_stderr(mean,xs,${n})`], 14);
    expect(aggregate("perplexity", lls)).toBeCloseTo(recorded["perplexity(lls)"], 14);
    expect(standardError("perplexity", lls, 2000)).toBeCloseTo(recorded["bootstrap_stderr(perplexity,lls,2000)"], 12);
    expect(pooledStandardError([0.02, 0.03, 0.05], [100, 200, 50])).toBeCloseTo(recorded["pooled_sample_stderr([.02,.03,.05],[100,200,50])"], 14);
  });
});
