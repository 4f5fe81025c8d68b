import { describe, expect, it } from "vitest";
import { allGatherSeconds, allReduceSeconds, allToAllSeconds, group } from "./collectives.ts";
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
    expect([allReduceSeconds(alone, 1e9), allGatherSeconds(alone, 1e9), allToAllSeconds(c, 1, 1e9, k)]).toEqual([0, 0, 0]);
  });
  it("moves twice as much in a reduction as in a gather", () => {
    expect(allReduceSeconds(g, 1e9)).toBeCloseTo(2 * allGatherSeconds(g, 1e9), 12);
    expect(allGatherSeconds(g, 1e9)).toBeCloseTo((7 / 8) * (1e9 / 240e9) + 7e-6, 12);
  });
  it("sends what leaves the node over the network", () => {
    const seconds = allToAllSeconds(c, 16, 16e9, k);
    expect(seconds).toBeCloseTo((16e9 * 7) / 16 / 240e9 + 8e9 / 12.5e9 + 1e-5, 9);
  });
});
