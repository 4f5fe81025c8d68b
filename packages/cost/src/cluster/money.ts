import type { GridRow, PueRow } from "../catalogue/grid.ts";
import type { ClusterPriceRow } from "../catalogue/clusterPrices.ts";
import type { CostFactor } from "../machine/runCost.ts";
import type { Cluster } from "./device.ts";
import type { Goodput } from "./goodput.ts";

/** Low and high end, and the value between; equal where nothing is uncertain. */
export interface Range {
  low: number;
  value: number;
  high: number;
}

export interface ClusterCost {
  factors: readonly CostFactor[];
  days: Range;
  gpuHours: Range;
  /** At the devices. */
  deviceMwh: Range;
  /** Of the facility: times PUE. */
  mwh: Range;
  tCo2e: Range;
  /** From the fewest hours at the lowest price to the most at the highest. */
  usd: Range;
}

const scale = (r: Range, by: number): Range => ({ low: r.low * by, value: r.value * by, high: r.high * by });

/**
 * Hours, energy, carbon and dollars of a cluster run, as a chain of named factors:
 * `hours = training seconds / goodput / 3600`, `GPU-hours = hours * GPUs`, `MWh = GPU-hours * watts * PUE / 1e6`,
 * `t = MWh * grid`, `USD = GPU-hours * price`. Operational only; watts are the design power unless given.
 *
 * @param options.trainingSeconds useful seconds of all steps, with the interval of their prediction
 * @param options.prices          rows of the catalogue; the value is their median
 * @throws {RangeError} when there is no price
 */
export function clusterCost(options: {
  trainingSeconds: Range;
  cluster: Cluster;
  goodput: Goodput;
  prices: readonly ClusterPriceRow[];
  /** Prices of a like device: they may be the ends of the range. */
  standIns?: readonly ClusterPriceRow[];
  grid: GridRow;
  pue: PueRow;
  wattsPerGpu?: number;
}): ClusterCost {
  const { trainingSeconds, cluster, goodput, grid, pue } = options;
  const prices = options.prices.toSorted((a, b) => a.usdPerGpuHour - b.usdPerGpuHour);
  if (prices.length === 0) throw new RangeError("clusterCost: prices: is empty, expected at least one row. Take them from clusterPrices.");
  const watts = options.wattsPerGpu ?? cluster.device.tdpWatts;
  const hours = scale(trainingSeconds, 1 / goodput.goodput / 3600);
  const gpuHours = scale(hours, cluster.numGpus);
  const deviceMwh = scale(gpuHours, watts / 1e6);
  const mwh = scale(deviceMwh, pue.pue);
  const middle = prices[(prices.length - 1) >> 1]!;
  const all = [...prices, ...(options.standIns ?? [])].toSorted((a, b) => a.usdPerGpuHour - b.usdPerGpuHour);
  const [cheapest, dearest] = [all[0]!, all.at(-1)!];
  const priced = (row: ClusterPriceRow) => `${prices.includes(row) ? "" : `of ${row.device}: `}${row.provider}, ${row.date}, ${row.url}`;
  const factors: CostFactor[] = [
    { name: "goodput", value: goodput.goodput, unit: "", formula: "hours = training seconds / goodput / 3600", source: "failure model, and other losses", assumed: true },
    { name: "GPUs", value: cluster.numGpus, unit: "", formula: "GPU-hours = hours * GPUs", source: "request", assumed: false },
    { name: "watts", value: watts, unit: "W per GPU", formula: "device MWh = GPU-hours * watts / 1e6", source: options.wattsPerGpu === undefined ? `design power, ${cluster.device.url}` : "request", assumed: options.wattsPerGpu === undefined },
    { name: "PUE", value: pue.pue, unit: "", formula: "MWh = device MWh * PUE", source: `${pue.date}, ${pue.url}`, assumed: true },
    { name: "grid", value: grid.kgCo2ePerKwh, unit: "kgCO2e per kWh", formula: "t = MWh * grid", source: `${grid.date}, ${grid.url}`, assumed: true },
    { name: "lowest price", value: cheapest.usdPerGpuHour, unit: "USD per GPU-hour", formula: "USD = GPU-hours * price", source: priced(cheapest), assumed: false },
    { name: "median price", value: middle.usdPerGpuHour, unit: "USD per GPU-hour", formula: "USD = GPU-hours * price", source: priced(middle), assumed: false },
    { name: "highest price", value: dearest.usdPerGpuHour, unit: "USD per GPU-hour", formula: "USD = GPU-hours * price", source: priced(dearest), assumed: false },
  ];
  return {
    factors,
    days: scale(hours, 1 / 24),
    gpuHours,
    deviceMwh,
    mwh,
    tCo2e: scale(mwh, grid.kgCo2ePerKwh),
    usd: { low: gpuHours.low * cheapest.usdPerGpuHour, value: gpuHours.value * middle.usdPerGpuHour, high: gpuHours.high * dearest.usdPerGpuHour },
  };
}
