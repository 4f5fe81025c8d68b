import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { clusterGoodput } from "../cluster/goodput.ts";
import { type SimulationRequest, simulateRun, simulateRuns } from "./simulateRun.ts";
import { erlangB, waitingShare } from "./spares.ts";

const failures = { mtbfHours: 50_000, checkpointSeconds: 60, restartSeconds: 600, otherShare: 0 };
const DAY = 86400;
const meanOf = (request: Omit<SimulationRequest, "seed">, count: number) => simulateRuns({ ...request, seed: 0 }, count);

describe("simulateRun against closed forms", () => {
  it.each([192, 16_384])("has Daly's goodput as its mean on %i devices", (numGpus) => {
    // Enough failures for a standard error of 0.1 %.
    const { goodput } = meanOf({ numGpus, workSeconds: 60 * DAY, failures }, 40);
    expect(Math.abs(goodput.value / clusterGoodput(numGpus, failures).goodput - 1)).toBeLessThan(0.005);
  });
  it.each([[0, 4], [1, 12], [4, 24], [8, 48]])("waits with %i spare nodes and repairs of %i h as Erlang's formula says", (spareNodes, repairHours) => {
    const { parts, seconds } = meanOf({ numGpus: 16_384, workSeconds: 60 * DAY, failures, spares: { spareNodes, repairHours } }, 40);
    const mtbf = (failures.mtbfHours * 3600) / 16_384;
    // 40 x 60 days hold about 20,000 failures: 2 % of standard error on the shares that are not small.
    expect(Math.abs(parts.waiting / seconds.value - waitingShare(mtbf, { spareNodes, repairHours }))).toBeLessThan(0.01);
  });
  it("is slow for as long as nobody notices", () => {
    const stragglers = { meanHours: 100_000, slowdown: 1.5, detectSeconds: 1800 };
    const rare = { ...failures, mtbfHours: 1e9, restartSeconds: 0, checkpointSeconds: 1 };
    const { parts } = meanOf({ numGpus: 8192, workSeconds: 60 * DAY, failures: rare, stragglers }, 20);
    // A slow spell of 1800 s does 1200 s of work and follows 43,945 s without: 600 s lost of every 45,145 s of work.
    expect(parts.stragglers / parts.work / (600 / (43_945.3 + 1200))).toBeCloseTo(1, 1);
  });
  it("pays each growth its pause when nothing fails", () => {
    const { seconds, parts } = simulateRun({ numGpus: 8, workSeconds: DAY, failures: { ...failures, mtbfHours: 1e12 }, growths: [{ atSeconds: 20_000, pauseSeconds: 900 }, { atSeconds: 40_000, pauseSeconds: 300 }], seed: 1 });
    expect(parts.growth).toBe(1200);
    expect(seconds).toBe(DAY + 1200 + parts.checkpoints);
  });
});

describe("simulateRun", () => {
  it("does all of the work, has parts that sum to its seconds and is the same for the same seed", () => {
    const hours = fc.double({ min: 1e4, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(
        fc.record({
          numGpus: fc.integer({ min: 8, max: 20_000 }),
          stragglers: fc.option(fc.record({ meanHours: hours, slowdown: fc.double({ min: 1, max: 3, noNaN: true }), detectSeconds: fc.integer({ min: 0, max: 1e5 }) }), { nil: undefined }),
          spares: fc.option(fc.record({ spareNodes: fc.integer({ min: 0, max: 20 }), repairHours: fc.double({ min: 0.1, max: 100, noNaN: true }) }), { nil: undefined }),
          growths: fc.array(fc.record({ atSeconds: fc.integer({ min: 0, max: 2e6 }), pauseSeconds: fc.integer({ min: 0, max: 3000 }) }), { maxLength: 3 }),
          seed: fc.integer({ min: 0, max: 1e6 }),
        }),
        ({ stragglers, spares, ...rest }) => {
          const request = { ...rest, workSeconds: 1e6, failures, ...(stragglers ? { stragglers } : {}), ...(spares ? { spares } : {}) };
          const run = simulateRun(request);
          expect(run.parts.work).toBeCloseTo(1e6, 2);
          expect(Object.values(run.parts).reduce((a, b) => a + b, 0)).toBe(run.seconds);
          for (const part of Object.values(run.parts)) expect(part).toBeGreaterThanOrEqual(0);
          expect(run.parts.growth).toBe(rest.growths.filter(({ atSeconds }) => atSeconds < 1e6).reduce((sum, { pauseSeconds }) => sum + pauseSeconds, 0));
          expect(run.events.map(({ seconds }) => seconds)).toEqual(run.events.map(({ seconds }) => seconds).toSorted((a, b) => a - b));
          expect(run.events.at(-1)?.seconds ?? 0).toBeLessThanOrEqual(run.seconds + 1e-3);
          expect(run.events.filter(({ kind }) => kind === "failure")).toHaveLength(run.numFailures);
          expect(simulateRun(request)).toEqual(run);
        },
      ),
      { numRuns: 60 },
    );
  });
  it("simulates a month of 100,000 devices with everything that can happen, in well under a second", () => {
    const started = performance.now();
    const { numFailures, goodput, events } = simulateRun({
      numGpus: 100_000, workSeconds: 30 * DAY, failures: { ...failures, restartSeconds: 120 }, seed: 1,
      stragglers: { meanHours: 200_000, slowdown: 1.3, detectSeconds: 600 }, spares: { spareNodes: 200, repairHours: 48 }, growths: [{ atSeconds: 10 * DAY, pauseSeconds: 600 }],
    });
    expect(performance.now() - started).toBeLessThan(1000);
    expect(numFailures).toBeGreaterThan(1_000);
    expect(goodput).toBeGreaterThan(0.4);
    expect(new Set(events.map(({ kind }) => kind))).toEqual(new Set(["failure", "slow", "swap", "growth"]));
  });
  it.each([
    [{ numGpus: 10_000_000 }, /fewer devices/],
    [{ numGpus: 1.5 }, /numGpus: is 1.5/],
    [{ workSeconds: 0 }, /workSeconds: is 0/],
    [{ failures: { ...failures, otherShare: 5 } }, /not percent/],
    [{ stragglers: { meanHours: 1e5, slowdown: 0.5 } }, /slowdown: is 0.5, expected step time over the usual/],
    [{ spares: { spareNodes: -1, repairHours: 4 } }, /spareNodes: is -1/],
    [{ spares: { spareNodes: 2, repairHours: 0 } }, /repairHours: is 0/],
    [{ growths: [{ atSeconds: 1, pauseSeconds: -1 }] }, /pauseSeconds -1/],
  ] satisfies [Partial<SimulationRequest>, RegExp][])("refuses %o", (bad, sentence) => {
    expect(() => simulateRun({ numGpus: 8, workSeconds: 1e6, failures, seed: 1, ...bad })).toThrow(sentence);
  });
});

describe("erlangB", () => {
  it.each([[1, 1, 0.5], [2, 1, 0.2], [5, 3, 0.110054], [10, 5, 0.018385], [10, 20, 0.538]])("with %i servers and a load of %d is %d", (servers, load, blocked) => {
    // a^n / n! over the sum, as in any table.
    expect(erlangB(servers, load)).toBeCloseTo(blocked, 3);
  });
});
