/** The emulation of CUDA on the CPU must find the faults that it promises to find: native/emulation/probes.cu has them. */
import type { Program } from "@espalier/graph";
import { describe, expect, it } from "vitest";
import { cudaExecutor } from "./cudaExecutor.ts";
import { emulatedCuda } from "./cudaLibrary.ts";

const count = 64;
const x = Float32Array.from({ length: count }, (_, i) => 100 + i);

function programOf(kind: number): Program {
  const tensor = (id: number, region: "runtime" | "output") => ({ id, region, name: region, shape: [count], dtype: "f32" as const, offset: 0, bytes: 4 * count });
  return {
    tensors: [tensor(0, "runtime"), tensor(1, "output")],
    instructions: [{ op: "emulationProbe", inputs: [0], outputs: [1], attributes: { kind } }],
    arenaBytes: 0,
    runtimeBytes: 4 * count,
    outputBytes: 4 * count,
  };
}

async function probe(kind: number, seed: number): Promise<number[]> {
  const y = new Float32Array(count);
  const loaded = cudaExecutor({ libraryPath: emulatedCuda(), emulationSeed: seed }).load(programOf(kind));
  for (let run = 0; run < 3; run++) await loaded.run(new Uint8Array(x.buffer), new Uint8Array(y.buffer)); // single launches, capture, replay
  loaded.free();
  return Array.from(y);
}

const seeds = [1, 2, 3, 4, 5];
const results = (kind: number) => Promise.all(seeds.map((seed) => probe(kind, seed)));
const backwards = Array.from({ length: count }, (_, i) => count - 1 - i);

describe("the emulation of CUDA", () => {
  it("runs a kernel with its barrier rightly in any order of threads", async () => {
    for (const y of await results(0)) expect(y).toEqual(backwards);
  });

  it("shows a missing barrier: before the first read", async () => {
    for (const y of await results(1)) expect(y).not.toEqual(backwards);
  });

  it("shows a missing barrier: between two uses of a buffer", async () => {
    expect((await results(8)).some((y) => y.some((value, i) => value !== backwards[i]))).toBe(true);
  });

  it.each([
    ["a barrier that half of the threads reach", 2],
    ["a shuffle that half of the lanes take part in", 3],
  ])("reports %s instead of hanging", async (_, kind) => {
    await expect(probe(kind, 1)).rejects.toThrow(/instruction 0 \(emulationProbe\).*deadlock in block \(0,0,0\)/);
    await expect(probe(kind, 7)).rejects.toThrow(/deadlock/);
  });

  it("gives not-a-numbers for shared memory that nobody has written", async () => {
    expect((await probe(4, 1)).every(Number.isNaN)).toBe(true);
  });

  it("lands asynchronous copies at their wait, and not before", async () => {
    expect((await probe(5, 1)).every(Number.isNaN)).toBe(true);
    expect(await probe(6, 3)).toEqual(Array.from(x));
  });

  it("reports a write behind the shared memory that was asked for", async () => {
    await expect(probe(7, 1)).rejects.toThrow(/wrote behind its 256 bytes of shared memory/);
  });

  // x as bf16: a float from 100 to 163 is a zero and the number itself. Rows 0 and 1 of 16 columns have eight numbers each.
  const dot = (row: number, column: number) => Array.from({ length: 8 }, (_, i) => (100 + 32 * row + i) * (100 + 32 * column + i)).reduce((sum, term) => sum + term, 0);
  // Thread t writes its first sum: row t / 4 of its warp's 16, column 2 (t % 4).
  const tiles = Array.from({ length: count }, (_, t) => (t === 0 ? dot(0, 0) : t === 4 ? dot(1, 0) : 0));

  it("multiplies tiles that bulk copies bring, in any order of copies", async () => {
    for (const y of await results(10)) expect(y).toEqual(tiles);
  });

  it.each([
    ["products of tiles whose arrival nobody waited for", 11],
    ["sums that are read before their wait", 12],
    ["tiles that are written again before that wait", 13],
  ])("shows %s", async (_, kind) => {
    expect((await results(kind)).some((y) => y.some((value, i) => value !== tiles[i]))).toBe(true);
  });

  it("reports a phase that nobody ends instead of hanging", async () => {
    await expect(probe(14, 1)).rejects.toThrow(/deadlock.*128 for a phase of a barrier/);
    await expect(probe(14, 7)).rejects.toThrow(/deadlock/);
  });

  // Of thread t, row r of a = row - 3 column and column 2 (t % 4) + 1 of the tile: a(r, 0) x[t % 4] + a(r, 1) x[32 + t % 4], three times.
  const fromRegisters = Array.from({ length: count }, (_, t) => {
    const row = Math.floor(t / 32) * 16 + Math.floor((t % 32) / 4);
    return 3 * (row * x[t % 4]! + (row - 3) * x[32 + (t % 4)]!);
  });

  it("multiplies registers by a tile read across, into two sets of sums", async () => {
    for (const y of await results(15)) expect(y).toEqual(fromRegisters);
  });

  it.each([
    ["registers of a factor that are written before the wait", 16],
    ["sums of a group that was not waited for, though an older one was", 17],
  ])("shows %s", async (_, kind) => {
    expect((await results(kind)).some((y) => y.some((value, i) => value !== fromRegisters[i]))).toBe(true);
  });

  it("holds threads at a named barrier, and reports one that too few reach", async () => {
    for (const y of await results(18)) expect(y).toEqual(backwards);
    await expect(probe(19, 1)).rejects.toThrow(/deadlock.*32 at a named barrier/);
    await expect(probe(19, 7)).rejects.toThrow(/deadlock/);
  });

  it("lets threads go on at a named barrier for others that do not wait there", async () => {
    for (const y of await results(22)) expect(y).toEqual(backwards);
    await expect(probe(23, 1)).rejects.toThrow(/deadlock.*32 at a named barrier/);
    expect((await results(24)).some((y) => y.some((value, i) => value !== backwards[i]))).toBe(true);
  });

  it("lands a line that a bulk copy brings, no earlier than at the wait for its barrier", async () => {
    for (const y of await results(20)) expect(y).toEqual(Array.from(x));
    expect((await results(21)).some((y) => y.some(Number.isNaN))).toBe(true);
  });

  it("multiplies matrices with the tensor core's layout of fragments", async () => {
    const a = (row: number, k: number) => 1 + row + 2 * k;
    const b = (k: number, column: number) => k - 3 * column;
    const expected = Array.from({ length: count }, (_, i) => {
      return Array.from({ length: 16 }, (_, k) => a(Math.floor(i / 8), k) * b(k, i % 8)).reduce((sum, term) => sum + term, 0);
    });
    for (const seed of seeds) expect(await probe(9, seed)).toEqual(expected);
  });
});
