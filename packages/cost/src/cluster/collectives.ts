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

/** All-to-all in which each rank sends `bytes` in all: `(n-1)/n bytes / bandwidth of one rank + latency`. */
export function allToAllSeconds(c: Cluster, size: number, bytes: number, k: LinkConstants): number {
  if (size <= 1) return 0;
  const away = size <= c.nodeSize ? 0 : (size - c.nodeSize) / size;
  const near = (Math.min(size, c.nodeSize) - 1) / size;
  return (
    (bytes * near) / (c.intraNodeBytesPerSecond * k.intraShare) +
    (bytes * away) / (c.interNodeBytesPerSecond * k.interShare) +
    (away > 0 ? k.interHopSeconds : k.intraHopSeconds)
  );
}
