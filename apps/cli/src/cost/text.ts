import type { ClusterLayout, ClusterModel, CostRange } from "@espalier/cost";

/** A number with three digits and thousands marked. */
export function number(value: number): string {
  if (value >= 1000) return Math.round(value).toLocaleString("en");
  return Number(value.toPrecision(3)).toString();
}

/** 311.5e9 as `312B`. */
export function billions(value: number): string {
  if (value >= 1e12) return `${number(value / 1e12)}T`;
  if (value >= 1e9) return `${number(value / 1e9)}B`;
  return `${number(value / 1e6)}M`;
}

export function range({ low, value, high }: CostRange): string {
  return low === value && high === value ? number(value) : `${number(value)} (${number(low)} to ${number(high)})`;
}

export function layoutText(l: ClusterLayout): string {
  const degrees = [`tensor ${l.tensor}`, `pipeline ${l.pipeline}`, ...(l.context > 1 ? [`context ${l.context}`] : []), ...(l.expert > 1 ? [`expert ${l.expert}`] : []), `data ${l.data}`];
  const how = [l.pipeline > 1 ? l.schedule + (l.virtualStages > 1 ? ` x${l.virtualStages}` : "") : "", `micro-batch ${l.microBatchSize}`, l.recompute === "none" ? "" : `recompute ${l.recompute}`, l.sharding === "optimizer" ? "" : `sharding ${l.sharding}`, l.precision];
  return `${degrees.join(", ")}; ${how.filter(Boolean).join(", ")}`;
}

export function modelText(m: ClusterModel): string {
  return `${m.numLayers} x ${m.residualDim}`;
}
