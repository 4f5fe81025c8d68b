/** Nodes that stand by, and how long a broken one is away. */
export interface SparePool {
  /** Nodes that can take the place of a broken one. */
  spareNodes: number;
  /** Mean hours until a broken node is back in the pool. */
  repairHours: number;
}

/**
 * Erlang's loss formula: the share of time in which all of `servers` are busy when `load` would be busy on average,
 * by the recursion `B(0) = 1, B(n) = a B(n - 1) / (n + a B(n - 1))`.
 *
 * @see Erlang 1917; it holds for any distribution of the busy times with the same mean (Sevastyanov 1957)
 */
export function erlangB(servers: number, load: number): number {
  let blocked = 1;
  for (let n = 1; n <= servers; n++) blocked = (load * blocked) / (n + load * blocked);
  return blocked;
}

/**
 * Share of the time that a job stands still because more nodes are broken than there are spares. Broken nodes are the
 * busy servers of Erlang's formula: the job stops, and with it new failures, when one more than the spares is away.
 *
 * @param mtbfSeconds of the whole job
 */
export function waitingShare(mtbfSeconds: number, { spareNodes, repairHours }: SparePool): number {
  return erlangB(spareNodes + 1, (repairHours * 3600) / mtbfSeconds);
}
