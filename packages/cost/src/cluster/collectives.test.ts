import { random } from "@espalier/core";
import { describe, expect, it } from "vitest";
import { allGatherSeconds, allReduceSeconds, dispatchCopies, dispatchSeconds, group } from "./collectives.ts";
import { cluster } from "./device.ts";

const k = { intraShare: 0.8, interShare: 0.5, intraHopSeconds: 1e-6, interHopSeconds: 1e-5 };
const c = cluster("A100-SXM-80GB", 64, { interNodeGbitPerSecond: 200 });

describe("group", () => {
  it("takes NVLink inside a node", () => {
    expect(group(c, 8, 1, k)).toMatchObject({ size: 8, bandwidth: 300e9 * 0.8 });
  });
  it("gives a group that spans nodes the adapters of its members in one node", () => {
    // Eight ranks, tensor parallel 4 between them: two members a node, 2 x 25 GB/s x 0.5.
    expect(group(c, 8, 4, k)).toMatchObject({ bandwidth: 25e9 });
    expect(group(c, 64, 1, k).bandwidth).toBe(8 * 25e9 * 0.5);
  });
  it("waits for a ring in gathers and for a tree in reductions", () => {
    const wide = group(c, 64, 1, k);
    expect(wide.latency).toBeCloseTo(56e-6 + 7e-5, 12);
    expect(wide.treeLatency).toBeCloseTo(8e-6 + 3e-5, 12);
  });
});

describe("collectives", () => {
  const g = group(c, 8, 1, k);
  it("costs nothing alone", () => {
    const alone = group(c, 1, 1, k);
    expect([allReduceSeconds(alone, 1e9), allGatherSeconds(alone, 1e9), dispatchSeconds(c, 1, 1e9, 1, dispatchCopies(1, 8, 2, true), k)]).toEqual([0, 0, 0]);
  });
  it("moves twice as much in a reduction as in a gather", () => {
    expect(allReduceSeconds(g, 1e9)).toBeCloseTo(2 * allGatherSeconds(g, 1e9), 12);
    expect(allGatherSeconds(g, 1e9)).toBeCloseTo((7 / 8) * (1e9 / 240e9) + 7e-6, 12);
  });
  it("sends what leaves the node over the network", () => {
    const seconds = dispatchSeconds(c, 16, 8e6, 1000, dispatchCopies(16, 8, 2, false), k);
    expect(seconds).toBeCloseTo((16e9 * 7) / 16 / 240e9 + 8e9 / 12.5e9 + 1e-5, 9);
  });
});

describe("dispatchCopies", () => {
  it("counts what drawing experts at random counts", () => {
    const draws = random(1, "dispatch").sequence();
    for (const [size, topK] of [[8, 2], [16, 4], [32, 8]] as const) {
      let [near, away] = [0, 0];
      const tokens = 20_000;
      for (let i = 0; i < tokens; i++) {
        const ranks = new Set(Array.from({ length: topK }, () => Math.floor(draws.uniform() * size)));
        const nodes = new Set([...ranks].map((rank) => rank >> 3));
        nodes.delete(0);
        away += nodes.size;
        // The token's own rank is 0; in another node the copy arrives at one of the ranks that want it.
        ranks.delete(0);
        near += ranks.size - nodes.size;
      }
      const copies = dispatchCopies(size, 8, topK, true);
      expect(copies.near / (near / tokens)).toBeCloseTo(1, 1);
      if (size > 8) expect(copies.away / (away / tokens)).toBeCloseTo(1, 1);
      else expect(copies.away).toBe(0);
    }
  });
  it("never sends more than a copy an expert", () => {
    for (const size of [2, 8, 16, 64]) {
      for (const topK of [1, 2, 8]) {
        const [once, plain] = [dispatchCopies(size, 8, topK, true), dispatchCopies(size, 8, topK, false)];
        expect(once.away).toBeLessThanOrEqual(plain.away + 1e-12);
        expect(once.near + once.away).toBeLessThanOrEqual(plain.near + plain.away + 1e-12);
        if (topK === 1) expect(once.near + once.away).toBeCloseTo(plain.near + plain.away, 12);
      }
    }
  });
});
