import { findGrid, paperGridRows } from "../catalogue/grid.ts";
import { chipMwh, gpuHours } from "../paper/quantities.ts";
import type { PaperCarbon, PaperTables } from "../paper/tables.ts";
import { roundingInterval, truncatesToPrinted, valueOf } from "../printed.ts";
import { type ArithmeticClaim, claim, verdictOn } from "./row.ts";

/** PUE of the paper's own row: 1.1, the value of its neighbours; inferred, the paper prints neither PUE nor grid. */
const INFERRED_PUE = 1.1;
/** Below this a row has no PUE in it: the most efficient facility in use is above. */
const NO_PUE_BELOW = 1.04;

/** PUE hidden in a row: tonnes / (GPU-hours * watts * kg per kWh). Undefined when its grid is not known. */
function impliedPue(column: PaperCarbon): number | undefined {
  const grid = paperGridRows.find((row) => row.model === column.name);
  return grid && valueOf(column.tonnes) / (chipMwh(column) * grid.kgCo2ePerKwh);
}

/** Rows with and without PUE in their tonnes, by `impliedPue`. */
export function pueConventions(columns: readonly PaperCarbon[]): { withPue: string[]; without: string[] } {
  const known = columns.map((column) => ({ column, pue: impliedPue(column) })).filter((row) => row.pue !== undefined);
  return {
    withPue: known.filter((row) => row.pue! >= NO_PUE_BELOW).map((row) => row.column.name),
    without: known.filter((row) => row.pue! < NO_PUE_BELOW).map((row) => row.column.name),
  };
}

const own = (tables: PaperTables): PaperCarbon => tables.carbon.columns.at(-1)!;

function hours(tables: PaperTables): ArithmeticClaim {
  const { value, interval } = gpuHours(tables);
  const printed = own(tables).gpuHours;
  return claim({
    id: "carbon.gpu-hours",
    paper: `${printed} GPU-hours`,
    measured: `${Math.round(value).toLocaleString("en-US")} GPU-hours`,
    interval,
    verdict: verdictOn(value, printed, interval),
    why: `The printed hours are ${(valueOf(printed) / (tables.cluster.numGpus * 24)).toFixed(2)} days of the whole cluster. One grid-search run (24.6 h on 48 GPUs) adds ${Math.round(24.6 * 48).toLocaleString("en-US")} and does not close the gap.`,
    derivation: {
      formula: "GPUs * days * 24",
      inputs: [
        { name: "GPUs", value: tables.cluster.numGpus, source: "section 3" },
        ...tables.stages.map((stage) => ({ name: `days(${stage.name})`, value: stage.days, source: "Table 1" })),
      ],
    },
  });
}

function energyRow({ carbon }: PaperTables): ArithmeticClaim {
  const rows = carbon.columns.map((column) => ({ column, mwh: chipMwh(column) }));
  const exact = rows.every(({ column, mwh }) => truncatesToPrinted(mwh, column.energy));
  return claim({
    id: "carbon.energy-row",
    paper: `${carbon.columns.map((column) => column.energy).join(", ")} ${carbon.energyUnit}`,
    measured: `${rows.map((row) => row.mwh.toFixed(1)).join(", ")} MWh`,
    verdict: exact ? "exact" : "contradicted",
    why: `Hours times watts without PUE, decimals cut rather than rounded. The unit is MWh: ${carbon.energyUnit} would be a thousand times or more.`,
    derivation: {
      formula: "GPU-hours * watts / 1e6, decimals cut",
      inputs: carbon.columns.map((column) => ({
        name: column.name,
        value: `${column.gpuHours} * ${column.watts}`,
        source: "Table 3",
      })),
    },
  });
}

function ownTonnes(tables: PaperTables): ArithmeticClaim {
  const column = own(tables);
  const mwh = chipMwh(column);
  const grid = paperGridRows.find((row) => row.model === column.name)!;
  const china = findGrid("CHN")!;
  const tonnes = mwh * INFERRED_PUE * grid.kgCo2ePerKwh;
  const [lowHours, highHours] = roundingInterval(column.gpuHours);
  const energy = (h: number) => (h * valueOf(column.watts)) / 1e6;
  return claim({
    id: "carbon.flm",
    paper: `${column.tonnes} tCO2e`,
    measured: `${tonnes.toFixed(1)} tCO2e (inferred PUE and grid)`,
    interval: [energy(lowHours) * INFERRED_PUE * grid.kgCo2ePerKwh, energy(highHours) * INFERRED_PUE * china.kgCo2ePerKwh],
    verdict: verdictOn(tonnes, column.tonnes) === "exact" ? "reproduced" : "contradicted",
    why: `The paper prints neither PUE nor grid intensity; ${INFERRED_PUE} and China's average give the printed tonnes after rounding.`,
    derivation: {
      formula: "GPU-hours * watts * PUE * kgCO2e per kWh",
      inputs: [
        { name: "GPU-hours", value: column.gpuHours, source: "Table 3" },
        { name: "watts", value: column.watts, source: "Table 3" },
        { name: "PUE", value: INFERRED_PUE, source: "inferred" },
        { name: "grid", value: grid.kgCo2ePerKwh, source: `${grid.date}, ${grid.url}` },
      ],
    },
  });
}

function mixedPue({ carbon }: PaperTables): ArithmeticClaim {
  const { withPue, without } = pueConventions(carbon.columns);
  const pues = carbon.columns.map((column) => ({ name: column.name, pue: impliedPue(column)! }));
  return claim({
    id: "carbon.pue-mixed",
    paper: `${carbon.columns.map((column) => column.tonnes).join(", ")} tCO2e`,
    measured: `implied PUE ${pues.map((row) => row.pue.toFixed(2)).join(", ")}`,
    interval: [Math.min(...pues.map((row) => row.pue)), Math.max(...pues.map((row) => row.pue))],
    verdict: withPue.length > 0 && without.length > 0 ? "contradicted" : "exact",
    why: `${withPue.join(", ")} have PUE in their tonnes, ${without.join(", ")} not: the row does not compare like with like.`,
    derivation: {
      formula: "implied PUE = tonnes / (GPU-hours * watts * kgCO2e per kWh)",
      inputs: paperGridRows.map((row) => ({ name: row.model, value: row.kgCo2ePerKwh, source: `${row.date}, ${row.url}` })),
    },
  });
}

/** Every `carbon.*` row. */
export function carbonClaims(tables: PaperTables): ArithmeticClaim[] {
  return [hours(tables), energyRow(tables), ownTonnes(tables), mixedPue(tables)];
}
