import { describe, expect, it } from "vitest";
import { Graph } from "../graph.ts";
import { evaluate, noise, session } from "../testing/run.ts";
import { cachedAttention } from "./cachedAttention.ts";
import { causalAttention } from "./causalAttention.ts";
import { rotary } from "./rotary.ts";
import { rotaryAngles, rotaryAt } from "./rotaryAt.ts";
import { writeRows } from "./writeRows.ts";

const i32 = (g: Graph, name: string, length: number) => g.runtime(name, [length], "i32");
const lists = (g: Graph, R: number, M: number) => ({ positions: i32(g, "positions", R), starts: i32(g, "starts", R), keyRows: i32(g, "keyRows", M) });

describe("cachedAttention", () => {
  it("weighs the listed rows of the pool by the exponential of their scores, worked out by hand", async () => {
    const trace = (g: Graph) =>
      cachedAttention({ q: g.owned("q", [2, 1, 2]), k: g.owned("k", [3, 1, 2]), v: g.owned("v", [3, 1, 2]), ...lists(g, 2, 3) }, { scale: 0.5 });
    // The list is pool rows 2, 0, 1. Row 0 of q sees only pool row 2; row 1 sees 2 and 0 with scores [0.5, 1].
    const y = await evaluate(
      trace,
      { q: [9, 9, 1, 0], k: [2, 5, 7, 7, 1, 5], v: [0, 1, 7, 7, 1, 0] },
      { positions: [0, 1], starts: [0, 0], keyRows: [2, 0, 1] },
    );
    const late = Math.exp(0.5) / (1 + Math.exp(0.5));
    [1, 0, 1 - late, late].forEach((value, i) => expect(y[i]).toBeCloseTo(value, 14));
  });

  it.each(["rope", "xpos"] as const)("with writeRows and rotaryAt is causalAttention with %s, in two runs and two sequences", async (kind) => {
    const [T, N, G, D] = [5, 4, 2, 6];
    const options = (side: "query" | "key") => ({ kind, side, base: 100, centre: 3 });
    const whole = new Graph();
    const [q, k, v] = [whole.owned("q", [2, T, N, D]), whole.owned("k", [2, T, G, D]), whole.owned("v", [2, T, G, D])];
    whole.output("y", causalAttention(rotary(q, options("query")), rotary(k, options("key")), v, { scale: 0.4 }));
    const expected = (await session(whole).run()).y;

    const R = 6;
    const g = new Graph();
    const rows = lists(g, R, 2 * T);
    const pool = { k: g.owned("poolK", [12, G, D]), v: g.owned("poolV", [12, G, D]) };
    const [rowQ, rowK, rowV] = [g.runtime("rowQ", [R, N, D]), g.runtime("rowK", [R, G, D]), g.runtime("rowV", [R, G, D])];
    const places = i32(g, "places", R);
    writeRows(pool.k, rotaryAt(rowK, rotaryAngles(rows.positions, D, options("key"))), places);
    writeRows(pool.v, rowV, places);
    g.output("y", cachedAttention({ q: rotaryAt(rowQ, rotaryAngles(rows.positions, D, options("query"))), ...pool, ...rows }, { scale: 0.4 }));
    const { run } = session(g);
    // Sequence b has its keys at pool rows 5 - n and 6 + n.
    const keyRows = [5, 4, 3, 2, 1, 6, 7, 8, 9, 10];
    const take = async (batch: [b: number, n: number][]) => {
      const padded = [...batch, ...Array.from({ length: R - batch.length }, () => [0, -1] as [number, number])];
      const rowsOf = (name: string, heads: number) => padded.flatMap(([b, n]) => noise(name, 2 * T * heads * D).slice((b * T + Math.max(n, 0)) * heads * D, (b * T + Math.max(n, 0) + 1) * heads * D));
      const { y } = await run({
        rowQ: rowsOf("q", N),
        rowK: rowsOf("k", G),
        rowV: rowsOf("v", G),
        positions: padded.map(([, n]) => n),
        starts: padded.map(([b]) => b * T),
        keyRows,
        places: padded.map(([b, n]) => (n < 0 ? -1 : keyRows[b * T + n])),
      });
      padded.forEach(([b, n], r) => {
        const found = [...y.slice(r * N * D, (r + 1) * N * D)];
        const wanted = n < 0 ? found.map(() => 0) : [...expected.slice((b * T + n) * N * D, (b * T + n + 1) * N * D)];
        found.forEach((value, i) => expect(value).toBeCloseTo(wanted[i], 6)); // runtime inputs are fp32
      });
    };
    await take([[0, 0], [0, 1], [0, 2], [1, 0]]);
    await take([[1, 1], [1, 2], [1, 3], [1, 4], [0, 3]]);
    await take([[0, 4]]);
  });

  it("names the argument that does not fit", () => {
    const g = new Graph();
    const [q, k] = [g.owned("q", [2, 4, 6]), g.owned("k", [9, 2, 6])];
    const rows = lists(g, 2, 5);
    const attend = (change: object) => () => cachedAttention({ q, k, v: k, ...rows, ...change }, { scale: 1 });
    expect(attend({ k: g.owned("three", [9, 3, 6]), v: g.owned("three", [9, 3, 6]) })).toThrow("cachedAttention: k: has 3 heads, expected a divisor of the 4 query heads.");
    expect(attend({ v: g.owned("short", [8, 2, 6]) })).toThrow("cachedAttention: v: shape is [8, 2, 6], expected [9, 2, 6].");
    expect(attend({ starts: i32(g, "three rows", 3) })).toThrow("cachedAttention: starts: shape is [3], expected [2].");
    expect(attend({ keyRows: g.runtime("floats", [5]) })).toThrow("cachedAttention: keyRows: dtype is f32, expected i32.");
  });
});

describe("writeRows", () => {
  it("writes rows to their places and leaves the others", async () => {
    const g = new Graph();
    writeRows(g.owned("pool", [4, 1, 2]), g.runtime("x", [3, 2]), i32(g, "rows", 3));
    const { run, read } = session(g, { pool: 0 });
    await run({ x: [1, 2, 3, 4, 5, 6], rows: [2, -1, 0] });
    expect([...read("pool")]).toEqual([5, 6, 0, 0, 1, 2, 0, 0]);
    await expect(run({ rows: [4, 0, 1] })).rejects.toThrow("writeRows: row 0 goes to 4, expected below 4.");
  });

  it("names a pool whose rows have another size", () => {
    const g = new Graph();
    expect(() => writeRows(g.owned("pool", [4, 3]), g.runtime("x", [3, 2]), i32(g, "rows", 3))).toThrow("writeRows: pool: shape is [4, 3] for 3 rows of x [3, 2]");
  });
});

describe("rotaryAt", () => {
  it("names rows or frequencies that do not fit", () => {
    const g = new Graph();
    const angles = rotaryAngles(i32(g, "positions", 3), 4, { side: "key" });
    expect(angles.shape).toEqual([3, 2, 2]);
    expect(() => rotaryAt(g.owned("x", [3, 2, 6]), angles)).toThrow("rotaryAt: angles: shape is [3, 2, 2], expected [3, 2, 3].");
    expect(() => rotaryAt(g.owned("x2", [2, 2, 4]), angles)).toThrow("rotaryAt: x: shape is [2, 2, 4], expected 24 elements.");
    expect(() => rotaryAngles(i32(g, "positions", 3), 4, { side: "key", frequencies: g.owned("f", [3]) })).toThrow("rotaryAngles: frequencies: shape is [3], expected [2].");
  });
});
