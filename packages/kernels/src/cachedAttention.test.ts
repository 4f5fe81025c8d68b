import { random } from "@espalier/core";
import { describe, expect, it } from "vitest";
import { availableBackends } from "./availableBackends.ts";
import { type CaseTensor, runCase } from "./testing/opCase.ts";

const [N, G, D, P] = [4, 2, 24, 400];
const stream = random(5, "cache");
const normal = (shape: number[], from: number): CaseTensor => ({ shape, value: (i) => stream.normal(from + i) });
const whole = (values: readonly number[]): CaseTensor => ({ shape: [values.length], dtype: "i32", value: (i) => values[i]! });
const k = normal([P, G, D], 1_000_000);
const v = normal([P, G, D], 2_000_000);
const queryOf = (position: number) => Array.from({ length: N * D }, (_, i) => stream.normal(position * N * D + i));

/** Results of rows of one sequence, whose keys lie at `keyRows`, in one run. */
async function attend(executor: Parameters<typeof runCase>[0], positions: readonly number[], keyRows: readonly number[]) {
  const q = positions.flatMap(queryOf);
  const [y] = await runCase(executor, {
    op: "cachedAttention",
    note: "",
    inputs: [{ shape: [positions.length, N, D], value: (i) => q[i]! }, k, v, whole(positions), whole(positions.map(() => 0)), whole(keyRows)],
    attributes: { scale: 0.3 },
  });
  return Array.from({ length: positions.length }, (_, r) => Array.from(y!).slice(r * N * D, (r + 1) * N * D));
}

describe.each(availableBackends().filter(({ name }) => name !== "reference"))("cachedAttention on $name", ({ create }) => {
  const executor = create({ numThreads: 2 });
  const positions = Array.from({ length: 300 }, (_, n) => n);
  const inOrder = positions.map((n) => n + 7);

  it("gives a row the same bits alone, in small and in large runs, whatever its neighbours", async () => {
    const together = await attend(executor, positions, inOrder);
    for (const size of [1, 2, 5, 11, 29]) {
      for (let first = 0; first < 300; first += 41) {
        const some = positions.slice(first, first + size);
        expect(await attend(executor, some, inOrder), `${size} rows from ${first}`).toEqual(together.slice(first, first + size));
      }
    }
  });

  it("reads the rows that the list names, up to its position", async () => {
    const [a, b] = [await attend(executor, positions, inOrder), await attend(executor, positions, inOrder.map((row, m) => (m === 200 ? 399 : row)))];
    expect(b.slice(0, 200)).toEqual(a.slice(0, 200));
    expect(b[200]).not.toEqual(a[200]);
  });

  it("shows a list that leaves the pool as not a number", async () => {
    const [row] = await attend(executor, [2], [0, 400, 1]);
    expect(row!.every(Number.isNaN)).toBe(true);
    const [short] = await attend(executor, [3], [0, 1, 2]);
    expect(short!.every(Number.isNaN)).toBe(true);
  });
});
