import type { GridRow, PueRow } from "../catalogue/grid.ts";
import type { MachineProfile } from "./profile.ts";

/** A piece of work: thread-seconds measured or predicted, or FLOPs at a rate. */
export type CostedWork = { name: string; cores?: number } & ({ seconds: number } | { flops: number; gflops: number });

/** One factor of the chain from seconds to carbon. */
export interface CostFactor {
  name: string;
  value: number;
  unit: string;
  formula: string;
  source: string;
  assumed: boolean;
}

export interface CostLine {
  name: string;
  seconds: number;
  coreHours: number;
  /** Energy at the cores. */
  deviceKwh: number;
  /** Energy of the facility: device energy times PUE. */
  kwh: number;
  usd: number;
  kgCo2e: number;
}

export interface RunCost {
  factors: readonly CostFactor[];
  parts: readonly CostLine[];
  /** The sum of the parts, number by number. */
  total: Omit<CostLine, "name">;
}

/**
 * Seconds, energy, dollars and carbon of work on this machine:
 * `core-hours = seconds * cores / 3600`, `kWh = core-hours * watts per core * PUE / 1000`,
 * `USD = core-hours * price`, `kgCO2e = kWh * grid`.
 * Operational only: no embodied carbon, no idle cores, no memory power.
 */
export function runCost(options: {
  work: readonly CostedWork[];
  machine: Pick<MachineProfile, "name" | "wattsPerCore" | "usdPerCoreHour">;
  grid: GridRow;
  pue: PueRow;
}): RunCost {
  const { work, machine, grid, pue } = options;
  const { wattsPerCore, usdPerCoreHour } = machine;
  const parts = work.map((item): CostLine => {
    const seconds = "seconds" in item ? item.seconds : item.flops / (item.gflops * 1e9);
    const coreHours = (seconds * (item.cores ?? 1)) / 3600;
    const deviceKwh = (coreHours * wattsPerCore.value) / 1000;
    const kwh = deviceKwh * pue.pue;
    return {
      name: item.name,
      seconds,
      coreHours,
      deviceKwh,
      kwh,
      usd: coreHours * usdPerCoreHour.value,
      kgCo2e: kwh * grid.kgCo2ePerKwh,
    };
  });
  const sum = (key: Exclude<keyof CostLine, "name">) => parts.reduce((total, part) => total + part[key], 0);
  const total = {
    seconds: sum("seconds"),
    coreHours: sum("coreHours"),
    deviceKwh: sum("deviceKwh"),
    kwh: sum("kwh"),
    usd: sum("usd"),
    kgCo2e: sum("kgCo2e"),
  };
  const factors: CostFactor[] = [
    { name: "core-hours", value: total.coreHours, unit: "h", formula: "seconds * cores / 3600", source: "measured or predicted seconds", assumed: false },
    { name: "watts per core", value: wattsPerCore.value, unit: "W", formula: "device kWh = core-hours * watts / 1000", source: wattsPerCore.source, assumed: wattsPerCore.assumed },
    { name: "PUE", value: pue.pue, unit: "", formula: "kWh = device kWh * PUE", source: `${pue.date}, ${pue.url}`, assumed: true },
    { name: "price", value: usdPerCoreHour.value, unit: "USD per core-hour", formula: "USD = core-hours * price", source: usdPerCoreHour.source, assumed: usdPerCoreHour.assumed },
    { name: "grid", value: grid.kgCo2ePerKwh, unit: "kgCO2e per kWh", formula: "kgCO2e = kWh * grid", source: `${grid.date}, ${grid.url}`, assumed: true },
  ];
  return { factors, parts, total };
}
