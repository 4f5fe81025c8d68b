import type { Source } from "./types.ts";

/** Carbon intensity of electricity at a place, location-based, yearly mean. */
export interface GridRow extends Source {
  id: string;
  kgCo2ePerKwh: number;
}

const CODECARBON = {
  url: "https://github.com/mlco2/codecarbon/blob/b05965e43b690cdc53787c7577adbe6e2caf4ed9/codecarbon/data/private_infra/global_energy_mix.json",
  date: "2026-08-08",
  note: "codecarbon (Our World in Data), 2023",
};

export const gridRows: readonly GridRow[] = [
  { id: "CHN", kgCo2ePerKwh: 0.582317, ...CODECARBON },
  { id: "USA", kgCo2ePerKwh: 0.369473, ...CODECARBON },
  { id: "FRA", kgCo2ePerKwh: 0.056039, ...CODECARBON },
  { id: "DEU", kgCo2ePerKwh: 0.38095, ...CODECARBON },
  { id: "SWE", kgCo2ePerKwh: 0.040695, ...CODECARBON },
  { id: "IND", kgCo2ePerKwh: 0.713441, ...CODECARBON },
  { id: "GBR", kgCo2ePerKwh: 0.237589, ...CODECARBON },
  {
    id: "WORLD",
    kgCo2ePerKwh: 0.475,
    url: "https://www.iea.org/reports/global-energy-co2-status-report-2019/emissions",
    date: "2019",
    note: "IEA, as used by Green Algorithms v3",
  },
];

/** Power usage effectiveness: facility energy over device energy. */
export interface PueRow extends Source {
  id: string;
  pue: number;
}

export const pueRows: readonly PueRow[] = [
  {
    id: "unknown",
    pue: 1.56,
    url: "https://datacenter.uptimeinstitute.com/rs/711-RIA-145/images/2024.GlobalDataCenterSurvey.Report.pdf?version=0",
    date: "2024",
    note: "Uptime Institute survey, as used by Green Algorithms",
  },
  { id: "aws", pue: 1.2, url: "https://www.nutanix.dev/2023/05/04/digging-into-data-center-efficiency-pue-and-the-impact-of-hci/", date: "2023-05-04" },
  { id: "gcp", pue: 1.12, url: "https://www.nutanix.dev/2023/05/04/digging-into-data-center-efficiency-pue-and-the-impact-of-hci/", date: "2023-05-04" },
];

/** Grid intensity and PUE behind a paper's carbon figure. */
export interface PaperGridRow extends Source {
  /** Column name in the carbon table of FLM-101B. */
  model: string;
  kgCo2ePerKwh: number;
}

/** Grid intensities that the six columns of the carbon table started from, each by its own publication. */
export const paperGridRows: readonly PaperGridRow[] = [
  { model: "GPT-3", kgCo2ePerKwh: 0.429, url: "https://arxiv.org/abs/2104.10350", date: "2021-04-21", note: "1287 MWh, 552 t" },
  { model: "Gopher", kgCo2ePerKwh: 0.33, url: "https://arxiv.org/abs/2112.11446", date: "2021-12-08", note: "Google Georgia" },
  { model: "PaLM", kgCo2ePerKwh: 0.079, url: "https://arxiv.org/abs/2204.02311", date: "2022-04-05", note: "Google Oklahoma" },
  { model: "GLM-130B", kgCo2ePerKwh: 0.581, url: "https://arxiv.org/abs/2210.02414", date: "2022-10-05", note: "257/442.4, China average" },
  { model: "Llama-2", kgCo2ePerKwh: 0.385, url: "https://arxiv.org/abs/2302.13971", date: "2023-02-27", note: "table 15, US average" },
  { model: "FLM-101B", kgCo2ePerKwh: 0.581, url: "https://arxiv.org/abs/2210.02414", date: "2022-10-05", note: "China average as GLM-130B used it; FLM-101B prints none" },
];

/** The row of a country (ISO code) or `WORLD`; undefined when the catalogue has none. */
export function findGrid(id: string): GridRow | undefined {
  return gridRows.find((row) => row.id === id);
}
