/** One piece of work of a pool: starts when everything it needs is done. */
export interface PoolJob {
  id: string;
  /** Ids of jobs that must be done before. */
  needs?: readonly string[];
  /** @returns jobs that it leads to; they come before those that still wait */
  run(signal: AbortSignal): Promise<readonly PoolJob[] | void>;
}

/**
 * Runs jobs and those they lead to, at most `width` at once, in the given order among those that are ready. The first
 * failure aborts the rest.
 *
 * @returns when all have ended
 * @throws the first job's error; `signal.reason` when aborted from outside
 */
export async function runPool(jobs: readonly PoolJob[], width: number, signal: AbortSignal): Promise<void> {
  const ended = new Set<string>();
  const waiting = [...jobs];
  const running = new Map<string, Promise<void>>();
  const stop = new AbortController();
  const inner = AbortSignal.any([signal, stop.signal]);

  try {
    while (waiting.length || running.size) {
      signal.throwIfAborted();
      while (running.size < width) {
        const index = waiting.findIndex((job) => (job.needs ?? []).every((id) => ended.has(id)));
        if (index < 0) break;
        const job = waiting.splice(index, 1)[0]!;
        const done = job.run(inner).then((more) => {
          waiting.unshift(...(more ?? []));
          ended.add(job.id);
          running.delete(job.id);
        });
        running.set(job.id, done);
      }
      if (running.size === 0) {
        const missing = waiting.map((job) => `${job.id} needs ${(job.needs ?? []).filter((id) => !ended.has(id)).join(", ")}`);
        throw new Error(`pool: nothing can start: ${missing.join("; ")}`);
      }
      await Promise.race(running.values());
    }
  } catch (error) {
    stop.abort(error);
    await Promise.allSettled(running.values());
    throw error;
  }
}
