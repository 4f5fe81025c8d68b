import { ConfigError } from "@espalier/core";
import { describe, expect, it } from "vitest";
import { numBlockParameters, preferredRung } from "./experiment/ladder.ts";
import { type ExperimentPlan, type ExperimentRequest, planExperiment } from "./experimentPlan.ts";
import { roughProfile } from "./machine/profile.ts";

const machine = roughProfile({ name: "two cores", cores: 2, gflopsPerThread: 220 });
const overhead = { compile: 40, tokenize: 30, evaluatePerCheckpoint: () => 4, startPerJob: 0.5, report: 3 };
const plan = (request: Partial<ExperimentRequest>) =>
  planExperiment({ scale: "default", minutes: 10, machine, overhead, vocabSize: 1024, ...request });

const MINUTES = [2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 20, 30, 60, 120];
const plans = new Map<number, ExperimentPlan>(MINUTES.map((minutes) => [minutes, plan({ minutes })]));
const count = (p: ExperimentPlan, arm: string) => p.jobs.filter((job) => job.arm === arm).length;
const size = (p: ExperimentPlan) => numBlockParameters(p.target);
const preferred = numBlockParameters(preferredRung);

describe("planExperiment", () => {
  it.each(MINUTES)("keeps within %d minutes, parts summing to the total", (minutes) => {
    const p = plans.get(minutes)!;
    expect(p.totalSeconds).toBeLessThanOrEqual(minutes * 60);
    expect(p.parts.reduce((sum, part) => sum + part.seconds, 0)).toBe(p.totalSeconds);
    expect(p.parts.every((part) => part.seconds >= 0)).toBe(true);
    expect(p.schedule.jobs).toHaveLength(p.jobs.length);
    expect(p.schedule.makespanSeconds).toBeGreaterThanOrEqual(p.jobs.reduce((sum, job) => sum + job.seconds, 0) / 2);
  });

  it.each(MINUTES)("never drops pilots or the scratch bar in %d minutes", (minutes) => {
    const p = plans.get(minutes)!;
    expect(p.jobs.filter((job) => job.id.startsWith("pilot/target/")).length).toBeGreaterThanOrEqual(3);
    expect(p.jobs.filter((job) => job.id.startsWith("pilot/rival/")).length).toBeGreaterThanOrEqual(3);
    expect(count(p, "scratch bar")).toBe(p.seeds.length);
    expect(count(p, "growth three stages")).toBe(p.seeds.length);
    expect(count(p, "scratch equal tokens")).toBeGreaterThanOrEqual(1);
    // The sweep plus the other seeds of its best.
    expect(count(p, "best fixed shape")).toBeGreaterThanOrEqual(3 + p.seeds.length - 1);
  });

  it.each(MINUTES)("drops in the stated order in %d minutes", (minutes) => {
    const p = plans.get(minutes)!;
    const a1Whole = count(p, "scratch equal tokens") === p.seeds.length;
    const sweepWhole = count(p, "best fixed shape") === 5 + p.seeds.length - 1;
    const oneHop = count(p, "growth one hop") === p.seeds.length;
    if (!sweepWhole) expect(count(p, "scratch equal tokens")).toBe(1);
    if (!oneHop) expect(count(p, "best fixed shape")).toBe(3 + p.seeds.length - 1);
    if (size(p) > preferred) expect([a1Whole, sweepWhole, oneHop]).toEqual([true, true, true]);
    expect(p.dropped.length > 0).toBe(!(a1Whole && sweepWhole && oneHop));
    if (size(p) < preferred) expect(p.notes.join(" ")).toContain("The target shrank");
  });

  it("takes larger targets with more minutes, never smaller ones", () => {
    const sizes = MINUTES.map((minutes) => size(plans.get(minutes)!));
    expect(sizes).toEqual(sizes.toSorted((a, b) => a - b));
    expect(sizes.at(-1)!).toBeGreaterThan(preferred);
    expect(sizes[0]!).toBeLessThan(preferred);
  });

  it("keeps tokens per parameter when the target shrinks", () => {
    for (const p of plans.values()) {
      const control = p.jobs.find((job) => job.arm === "scratch bar")!;
      expect(control.tokens / size(p)).toBeCloseTo(p.tokensPerParameter, 1);
    }
  });

  it("keeps all three seeds and the one-hop arm at the default of ten minutes on two such cores", () => {
    const p = plans.get(10)!;
    expect(p.seeds).toEqual([0, 1, 2]);
    expect(count(p, "growth one hop")).toBe(3);
    expect(p.factors).toEqual({ threeStages: 1.3, oneHop: 1.4 });
    expect(p.lastStageFlopsShare).toBeGreaterThanOrEqual(0.25);
  });

  it("says it when fewer than three seeds fit", () => {
    const slow = roughProfile({ name: "slow", cores: 1, gflopsPerThread: 12 });
    const p = plan({ machine: slow, minutes: 11 });
    expect(p.seeds.length).toBeLessThan(3);
    expect(p.notes.join(" ")).toMatch(/Only \d of 3 seeds fit.*Fewer than three seeds/);
  });

  it("refuses minutes that nothing fits into and says how many it needs", () => {
    const attempt = () => plan({ minutes: 0.5 });
    expect(attempt).toThrow(ConfigError);
    const needed = Number(/needs about ([\d.]+)\./.exec(errorOf(attempt))![1]);
    expect(needed).toBeGreaterThan(0.5);
    expect(plan({ minutes: needed + 0.1 }).seeds).toHaveLength(1);
  });

  it("does not choose a learning rate from fewer than three", () => {
    expect(() => plan({ learningRates: [3e-3, 6e-3] })).toThrow(/has 2 values, expected at least 3/);
  });

  it("grows no further than one epoch of the text, and says so when even the preferred target reads more", () => {
    const few = plan({ minutes: 60, trainTokens: 6e6 });
    expect(size(few)).toBeLessThan(size(plans.get(60)!));
    expect(Math.max(...few.jobs.map((job) => job.tokens))).toBeLessThanOrEqual(6e6);
    expect(plan({ minutes: 12, trainTokens: 1e6 }).notes.join(" ")).toMatch(/epochs of the text/);
  });

  it("lets pilots end before what they decide, and the sweep before the seeds of its best", () => {
    const p = plans.get(10)!;
    const placed = new Map(p.schedule.jobs.map((job) => [job.id, job]));
    const job = (id: string) => placed.get(id)!;
    for (const { id, arm, learningRate } of p.jobs) {
      if (arm === "pilot" || !("bestOf" in learningRate)) continue;
      for (const pilot of p.jobs.filter((other) => other.id.startsWith(`pilot/${learningRate.bestOf}/`))) {
        expect(job(id).start).toBeGreaterThanOrEqual(job(pilot.id).end);
      }
    }
    const sweep = p.jobs.filter((row) => row.arm === "best fixed shape" && row.shape === "own");
    for (const row of p.jobs.filter((other) => other.shape === "best of sweep")) {
      for (const shape of sweep) expect(job(row.id).start).toBeGreaterThanOrEqual(job(shape.id).end);
    }
  });

  it("is a pure function: the same request gives the same plan, and the plan is plain data", () => {
    expect(plan({ minutes: 10 })).toEqual(plans.get(10));
    expect(JSON.parse(JSON.stringify(plans.get(10)))).toEqual(plans.get(10));
  });

  it("has a smoke scale under a minute of one-thread training with every arm", () => {
    const one = roughProfile({ name: "one core", cores: 1, gflopsPerThread: 40 });
    const p = plan({ scale: "smoke", minutes: 3, machine: one, vocabSize: 512 });
    expect(p.jobs.reduce((sum, job) => sum + job.trainingSeconds, 0)).toBeLessThan(60);
    expect(new Set(p.jobs.map((job) => job.arm))).toEqual(
      new Set(["pilot", "growth three stages", "growth one hop", "scratch bar", "scratch equal tokens", "best fixed shape"]),
    );
    expect(p.jobs.every((job) => job.tokens >= 16 * p.tokensPerStep)).toBe(true);
    expect(p.seeds).toEqual([0]);
  });
});

function errorOf(attempt: () => unknown): string {
  try {
    attempt();
  } catch (error) {
    return (error as Error).message;
  }
  return "";
}
