import type { Source } from "./types.ts";

/** What an hour of one device costs on demand. Prices differ 5 to 9 times between clouds on one day: show a range. */
export interface PriceRow extends Source {
  device: string;
  provider: string;
  usdPerHour: number;
}

const EPOCH = "via Epoch training-cost-trends";

export const priceRows: readonly PriceRow[] = [
  { device: "A800", provider: "Cudo Compute", usdPerHour: 0.8, url: "https://www.cudocompute.com/products/gpu-cloud", date: "2025-03-03", note: `PCIe; ${EPOCH}` },
  { device: "A800", provider: "vast.ai", usdPerHour: 0.94, url: "https://web.archive.org/web/20250303182935/https://vast.ai/pricing/gpu/A800-PCIE", date: "2025-03-03", note: `PCIe; ${EPOCH}` },
  { device: "A100-80GB", provider: "Lambda", usdPerHour: 1.5, url: "https://github.com/the-full-stack/website/blob/main/docs/cloud-gpus/cloud-gpus.csv", date: "2023-02-02", note: `8 a machine; ${EPOCH}` },
  { device: "A100-80GB", provider: "RunPod", usdPerHour: 1.89, url: "https://github.com/the-full-stack/website/blob/main/docs/cloud-gpus/cloud-gpus.csv", date: "2023-05-23", note: `8 a machine; ${EPOCH}` },
  { device: "A100-80GB", provider: "Amazon Web Services", usdPerHour: 5.12, url: "https://web.archive.org/web/20221209004833/https://aws.amazon.com/ec2/instance-types/p4/", date: "2022-12-09", note: EPOCH },
  { device: "A100-80GB", provider: "Verda", usdPerHour: 1.29, url: "https://github.com/skypilot-org/skypilot-catalog/blob/000c1d0bf24621f4ac37cfa585f0897c1aa1d9cf/catalogs/v8/verda/vms.csv", date: "2026", note: "SkyPilot catalog v8" },
  { device: "H100", provider: "Verda", usdPerHour: 2.29, url: "https://github.com/skypilot-org/skypilot-catalog/blob/000c1d0bf24621f4ac37cfa585f0897c1aa1d9cf/catalogs/v8/verda/vms.csv", date: "2026", note: "SkyPilot catalog v8" },
  { device: "H100", provider: "Amazon Web Services", usdPerHour: 12.29, url: "https://web.archive.org/web/20250317144823/https://aws.amazon.com/ec2/pricing/on-demand/", date: "2025-03-17", note: `East US; ${EPOCH}` },
  { device: "H200", provider: "Verda", usdPerHour: 3.39, url: "https://github.com/skypilot-org/skypilot-catalog/blob/000c1d0bf24621f4ac37cfa585f0897c1aa1d9cf/catalogs/v8/verda/vms.csv", date: "2026", note: "SkyPilot catalog v8" },
  { device: "H200", provider: "Amazon Web Services", usdPerHour: 10.6, url: "https://web.archive.org/web/20250317144823/https://aws.amazon.com/ec2/pricing/on-demand/", date: "2025-03-17", note: `East US; ${EPOCH}` },
  { device: "cpu-core", provider: "Amazon Web Services", usdPerHour: 0.0408, url: "https://www.factualminds.com/blog/amazon-ec2-on-demand-pricing-instance-families-2026/", date: "2026-06-17", note: "m7g.large, 0.0816 USD for 2 cores, us-east-1" },
];

/** Lowest and highest price of a device in the catalogue; undefined when it has none. */
export function priceRange(device: string): { low: PriceRow; high: PriceRow } | undefined {
  const rows = priceRows.filter((row) => row.device === device).toSorted((a, b) => a.usdPerHour - b.usdPerHour);
  return rows.length ? { low: rows[0]!, high: rows.at(-1)! } : undefined;
}
