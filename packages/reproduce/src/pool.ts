/** One piece of work of a pool: starts when everything it needs is done. */
export interface PoolJob<T> {
  id: string;
  /** Ids of jobs that must be done before. */
  needs?: readonly string[];
  run(signal: AbortSignal): Promise<T>;
}

/**
 * Runs jobs, at most `width` at once, in the given order among those that are ready. The first failure aborts the rest.
 *
 * @returns results by id
 * @throws the first job's error; `signal.reason` when aborted from outside
 */
export async function runPool<T>(jobs: readonly PoolJob<T>[], width: number, signal: AbortSignal): Promise<Map<string, T>> {
  const results = new Map<string, T>();
  const waiting = [...jobs];
  const running = new Map<string, Promise<void>>();
  const stop = new AbortController();
  const inner = AbortSignal.any([signal, stop.signal]);

  try {
    while (waiting.length || running.size) {
      signal.throwIfAborted();
      while (running.size < width) {
        const index = waiting.findIndex((job) => (job.needs ?? []).every((id) => results.has(id)));
        if (index < 0) break;
        const job = waiting.splice(index, 1)[0]!;
        const done = job.run(inner).then((result) => {
          results.set(job.id, result);
          running.delete(job.id);
        });
        running.set(job.id, done);
      }
      if (running.size === 0) {
        const missing = waiting.map((job) => `${job.id} needs ${(job.needs ?? []).filter((id) => !results.has(id)).join(", ")}`);
        throw new Error(`pool: nothing can start: ${missing.join("; ")}`);
      }
      await Promise.race(running.values());
    }
    return results;
  } catch (error) {
    stop.abort(error);
    await Promise.allSettled(running.values());
    throw error;
  }
}
