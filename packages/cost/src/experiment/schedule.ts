/** A job as the scheduler sees it. */
export interface Schedulable {
  id: string;
  seconds: number;
  /** Jobs that must have ended. */
  dependsOn: readonly string[];
}

/** When and on which thread a job runs, seconds from the start of training. */
export interface ScheduledJob {
  id: string;
  thread: number;
  start: number;
  end: number;
}

export interface Schedule {
  jobs: readonly ScheduledJob[];
  makespanSeconds: number;
}

/**
 * List scheduling of one-thread jobs: whenever a thread is free it takes the ready job with the longest chain of work
 * behind it (itself included), ties by order. Within a factor 2 - 1/threads of the best makespan (Graham 1969).
 *
 * @throws {RangeError} when a job waits for one that does not exist or for itself
 */
export function schedule(jobs: readonly Schedulable[], threads: number): Schedule {
  const byId = new Map(jobs.map((job) => [job.id, job]));
  const tail = new Map<string, number>();
  const following = new Map<string, Schedulable[]>(jobs.map((job) => [job.id, []]));
  for (const job of jobs) {
    for (const id of job.dependsOn) {
      if (!byId.has(id)) throw new RangeError(`schedule: ${job.id}: waits for ${id}, which is not among the jobs. Add it or drop the wait.`);
      following.get(id)!.push(job);
    }
  }
  const tailOf = (job: Schedulable): number => {
    const known = tail.get(job.id);
    if (known !== undefined) return known;
    tail.set(job.id, Infinity); // a cycle would come back here
    const longest = job.seconds + Math.max(0, ...following.get(job.id)!.map(tailOf));
    if (longest === Infinity) throw new RangeError(`schedule: ${job.id}: waits for itself. Remove the cycle.`);
    tail.set(job.id, longest);
    return longest;
  };
  const waiting = jobs.toSorted((a, b) => tailOf(b) - tailOf(a));

  const done = new Map<string, number>();
  const freeAt = new Array<number>(Math.max(1, threads)).fill(0);
  const placed: ScheduledJob[] = [];
  while (waiting.length > 0) {
    const thread = freeAt.indexOf(Math.min(...freeAt));
    const now = freeAt[thread]!;
    const readyAt = (job: Schedulable) => Math.max(0, ...job.dependsOn.map((id) => done.get(id) ?? Infinity));
    const index = waiting.findIndex((job) => readyAt(job) <= now);
    if (index < 0) {
      // Nothing is ready yet: this thread idles until the next job's last predecessor ends.
      freeAt[thread] = Math.min(...waiting.map(readyAt));
      continue;
    }
    const [job] = waiting.splice(index, 1);
    const end = now + job!.seconds;
    placed.push({ id: job!.id, thread, start: now, end });
    done.set(job!.id, end);
    freeAt[thread] = end;
  }
  return { jobs: placed, makespanSeconds: Math.max(0, ...placed.map((job) => job.end)) };
}
