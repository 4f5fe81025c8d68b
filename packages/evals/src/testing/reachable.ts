/** Which coverages an interval can have at all, when its outcomes can be listed. */

export interface Reach {
  /** Some set of outcomes holds a probability in the window. Undefined where the search was given up. */
  reachable?: boolean;
  /** Largest probability of a set below the window, and smallest above it; exact where the window is out of reach. */
  below: number;
  above: number;
}

const MOST_NODES = 200_000;

/**
 * Whether any rule that gives each outcome one interval can cover with a probability in [low, high]. A rule covers the truth at some
 * set of outcomes, so its coverage is the sum of their masses; all sets are tried, those left out that cannot reach the window.
 */
export function reachableCoverage(masses: readonly number[], low: number, high: number): Reach {
  const sorted = [...masses].sort((a, b) => b - a);
  const rest = [...sorted, 0];
  for (let i = sorted.length - 1; i >= 0; i--) rest[i] = sorted[i] + rest[i + 1];
  const reach: Reach = { below: 0, above: 1 };
  // Depth first over (next outcome, sum so far), taking an outcome before leaving it out.
  const open: [number, number][] = [[0, 0]];
  for (let nodes = 0; open.length > 0; nodes++) {
    if (nodes === MOST_NODES) return reach;
    const [i, sum] = open.pop()!;
    if (sum > high) reach.above = Math.min(reach.above, sum);
    else if (sum >= low) return { ...reach, reachable: true };
    else if (sum + rest[i] < low) reach.below = Math.max(reach.below, sum + rest[i]);
    else open.push([i + 1, sum], [i + 1, sum + sorted[i]]);
  }
  return { ...reach, reachable: false };
}
