import type { Cluster } from "./device.ts";

/** Shares of nominal bandwidth and the seconds of one hop, by link class. */
export interface LinkConstants {
  intraShare: number;
  interShare: number;
  intraHopSeconds: number;
  interHopSeconds: number;
}

/** A group of ranks as its collectives see it. */
export interface Group {
  size: number;
  /** Bytes a second of its rings, all together. */
  bandwidth: number;
  /** Seconds that a ring needs for one round of hops: what an all-gather or reduce-scatter waits at least. */
  latency: number;
  /** The same for a tree, which all-reduce may take. */
  treeLatency: number;
}

/**
 * Ring bandwidth and latency of a group whose neighbours are `stride` ranks apart. Inside a node: NVLink. Across: the
 * group's members in one node share out that node's adapters, so `members * network of one GPU`, at most NVLink.
 */
export function group(c: Cluster, size: number, stride: number, k: LinkConstants): Group {
  if (size <= 1) return { size: 1, bandwidth: Infinity, latency: 0, treeLatency: 0 };
  const intra = c.intraNodeBytesPerSecond * k.intraShare;
  if (size * stride <= c.nodeSize) {
    const latency = (size - 1) * k.intraHopSeconds;
    return { size, bandwidth: intra, latency, treeLatency: latency };
  }
  const members = Math.max(1, Math.floor(c.nodeSize / stride));
  const inter = members * c.interNodeBytesPerSecond * k.interShare;
  const nodes = Math.ceil(size / members);
  return {
    size,
    bandwidth: Math.min(intra, inter),
    latency: (size - nodes) * k.intraHopSeconds + (nodes - 1) * k.interHopSeconds,
    treeLatency: members * k.intraHopSeconds + Math.ceil(Math.log2(nodes)) * k.interHopSeconds,
  };
}

/** All-reduce of `bytes` a rank: `2 (n-1)/n bytes / bandwidth + 2 latency`, the tree's when that is less. */
export function allReduceSeconds(g: Group, bytes: number): number {
  return g.size === 1 ? 0 : (2 * (g.size - 1) * bytes) / (g.size * g.bandwidth) + 2 * Math.min(g.latency, g.treeLatency);
}

/** All-gather to (or reduce-scatter from) `bytes` a rank: `(n-1)/n bytes / bandwidth + latency`. */
export function allGatherSeconds(g: Group, bytes: number): number {
  return g.size === 1 ? 0 : ((g.size - 1) * bytes) / (g.size * g.bandwidth) + g.latency;
}

/** Copies of a token that a dispatch sends, on average over even routing. */
export interface DispatchCopies {
  /** Over NVLink. */
  near: number;
  /** Over the network between nodes. */
  away: number;
}

/**
 * Copies of one token on its way to `topK` of the experts that `size` ranks hold, each rank as likely as any other.
 * Plain all-to-all sends one copy an expert. Deduplicated, a node gets one copy of a token, however many of its experts the
 * token meets, and passes it on inside: a node of share q is met with probability `1 - (1 - q)^topK` (DeepEP; DeepSeek-V3,
 * arXiv:2412.19437, section 3.2.2).
 */
export function dispatchCopies(size: number, nodeSize: number, topK: number, deduplicated: boolean): DispatchCopies {
  if (size <= 1) return { near: 0, away: 0 };
  const inside = Math.min(size, nodeSize);
  if (!deduplicated) return { near: (topK * (inside - 1)) / size, away: (topK * (size - inside)) / size };
  const met = (share: number) => 1 - (1 - share) ** topK;
  const nodes = size / inside;
  // Ranks met anywhere, less the token's own and, in other nodes, the one that the copy from outside arrives at.
  const away = (nodes - 1) * met(inside / size);
  return { near: (size - 1) * met(1 / size) - away, away };
}

/** Dispatch of `tokens` of `bytes` each from every rank to its experts (or back): copies over the bandwidth of one rank, and latency. */
export function dispatchSeconds(c: Cluster, size: number, tokens: number, bytes: number, copies: DispatchCopies, k: LinkConstants): number {
  if (size <= 1) return 0;
  return (
    (tokens * bytes * copies.near) / (c.intraNodeBytesPerSecond * k.intraShare) +
    (tokens * bytes * copies.away) / (c.interNodeBytesPerSecond * k.interShare) +
    (copies.away > 0 ? k.interHopSeconds : k.intraHopSeconds)
  );
}
