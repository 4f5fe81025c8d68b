import { describe, expect, it } from "vitest";
import { type PoolJob, runPool } from "./pool.ts";

const never = new AbortController().signal;

describe("runPool", () => {
  it("keeps to its width and starts a job only after what it needs", async () => {
    const log: string[] = [];
    let running = 0;
    const job = (id: string, needs: string[] = []) => ({
      id,
      needs,
      async run() {
        running++;
        expect(running).toBeLessThanOrEqual(2);
        log.push(`start ${id}`);
        await new Promise((resolve) => setTimeout(resolve, 5));
        log.push(`end ${id}`);
        running--;
      },
    });
    await runPool([job("a", ["c"]), job("b"), job("c"), job("d")], 2, never);
    expect(log.filter((line) => line.startsWith("end")).toSorted()).toEqual(["end a", "end b", "end c", "end d"]);
    expect(log.indexOf("start a")).toBeGreaterThan(log.indexOf("end c"));
  });

  it("runs what a job leads to before those that wait, and lets others need it", async () => {
    const log: string[] = [];
    const job = (id: string, more: PoolJob[] = [], needs: string[] = []): PoolJob => ({
      id,
      needs,
      run: async () => {
        log.push(id);
        return more;
      },
    });
    await runPool([job("a", [job("b"), job("c")]), job("d"), job("e", [], ["c"])], 1, never);
    expect(log).toEqual(["a", "b", "c", "d", "e"]);
  });

  it("aborts the others when one fails, and waits for them", async () => {
    let aborted = false;
    const jobs = [
      { id: "bad", run: () => Promise.reject(new Error("broken")) },
      {
        id: "long",
        run: (signal: AbortSignal) =>
          new Promise<void>((resolve) =>
            signal.addEventListener("abort", () => {
              aborted = true;
              resolve();
            }),
          ),
      },
    ];
    await expect(runPool(jobs, 2, never)).rejects.toThrow("broken");
    expect(aborted).toBe(true);
  });

  it("names jobs that can never start", async () => {
    await expect(runPool([{ id: "a", needs: ["ghost"], run: async () => {} }], 1, never)).rejects.toThrow("a needs ghost");
  });
});
