import type { Source } from "./types.ts";

export type Commitment = "onDemand" | "oneYear" | "threeYear" | "spot";

/** What an hour of one cluster device costs at a provider, on a date, under a commitment. */
export interface ClusterPriceRow extends Source {
  device: string;
  provider: string;
  commitment: Commitment;
  usdPerGpuHour: number;
}

const row = (device: string, provider: string, commitment: Commitment, usdPerGpuHour: number, date: string, url: string): ClusterPriceRow => ({
  device, provider, commitment, usdPerGpuHour, date, url,
});

/** The latest known price of each provider and commitment. Two rows are no list prices: FLM-101B's implied and DeepSeek's assumed rate. */
export const clusterPriceRows: readonly ClusterPriceRow[] = [
  row("A100-SXM-80GB", "Verda", "spot", 0.4515, "2026", "https://github.com/skypilot-org/skypilot-catalog/blob/000c1d0bf24621f4ac37cfa585f0897c1aa1d9cf/catalogs/v8/verda/vms.csv"),
  row("A100-SXM-80GB", "Verda", "onDemand", 1.29, "2026", "https://github.com/skypilot-org/skypilot-catalog/blob/000c1d0bf24621f4ac37cfa585f0897c1aa1d9cf/catalogs/v8/verda/vms.csv"),
  row("A100-SXM-80GB", "Lambda", "onDemand", 1.5, "2023-02-02", "https://github.com/the-full-stack/website/blob/main/docs/cloud-gpus/cloud-gpus.csv"),
  row("A100-SXM-80GB", "Oblivus Cloud", "onDemand", 1.57, "2025-03-03", "https://web.archive.org/web/20250303153131/https://oblivus.com/pricing/"),
  row("A100-SXM-80GB", "Amazon Web Services", "threeYear", 1.81, "2025-03-02", "https://web.archive.org/web/20250302190228/https://aws.amazon.com/ec2/instance-types/p4/"),
  row("A100-SXM-80GB", "Datacrunch", "onDemand", 1.85, "2022-08-08", "https://github.com/the-full-stack/website/blob/main/docs/cloud-gpus/cloud-gpus.csv"),
  row("A100-SXM-80GB", "RunPod", "onDemand", 1.89, "2025-03-03", "https://web.archive.org/web/20250303172225/https://www.runpod.io/pricing"),
  row("A100-SXM-80GB", "FluidStack", "onDemand", 2.21, "2023-10-31", "https://github.com/the-full-stack/website/blob/main/docs/cloud-gpus/cloud-gpus.csv"),
  row("A100-SXM-80GB", "Microsoft Azure", "threeYear", 2.27, "2025-03-02", "https://web.archive.org/web/20250302193547/https://azure.microsoft.com/en-us/pricing/details/virtual-machines/linux/#pricing"),
  row("A100-SXM-80GB", "NovoNimbus", "onDemand", 2.73, "2024-02-14", "https://github.com/the-full-stack/website/blob/main/docs/cloud-gpus/cloud-gpus.csv"),
  row("A100-SXM-80GB", "Latitude.sh", "onDemand", 2.9, "2023-06-22", "https://github.com/the-full-stack/website/blob/main/docs/cloud-gpus/cloud-gpus.csv"),
  row("A100-SXM-80GB", "CR8DL", "onDemand", 2.93, "2025-03-03", "https://web.archive.org/web/20250303170410/https://www.cr8dl.ai/cloud-gpu"),
  row("A100-SXM-80GB", "Amazon Web Services", "oneYear", 3.0, "2025-03-02", "https://web.archive.org/web/20250302190228/https://aws.amazon.com/ec2/instance-types/p4/"),
  row("A100-SXM-80GB", "Microsoft Azure", "oneYear", 3.06, "2025-03-02", "https://web.archive.org/web/20250302193547/https://azure.microsoft.com/en-us/pricing/details/virtual-machines/linux/#pricing"),
  row("A100-SXM-80GB", "Paperspace", "onDemand", 3.18, "2022-08-04", "https://github.com/the-full-stack/website/blob/main/docs/cloud-gpus/cloud-gpus.csv"),
  row("A100-SXM-80GB", "Microsoft Azure", "onDemand", 3.67, "2025-03-02", "https://web.archive.org/web/20250302193547/https://azure.microsoft.com/en-us/pricing/details/virtual-machines/linux/#pricing"),
  row("A100-SXM-80GB", "Google Cloud", "onDemand", 3.93, "2022-12-12", "https://web.archive.org/web/20221212030420/https://cloud.google.com/compute/gpus-pricing"),
  row("A100-SXM-80GB", "Oracle Cloud", "onDemand", 4.0, "2025-03-17", "https://web.archive.org/web/20250317145952/https://www.oracle.com/cloud/compute/gpu/pricing/"),
  row("A100-SXM-80GB", "Amazon Web Services", "onDemand", 5.12, "2025-03-02", "https://web.archive.org/web/20250302190228/https://aws.amazon.com/ec2/instance-types/p4/"),
  row("A100-SXM-40GB", "Google Cloud", "threeYear", 1.03, "2022-12-12", "https://web.archive.org/web/20221212030420/https://cloud.google.com/compute/gpus-pricing"),
  row("A100-SXM-40GB", "Jarvislabs", "onDemand", 1.1, "2022-08-06", "https://github.com/the-full-stack/website/blob/main/docs/cloud-gpus/cloud-gpus.csv"),
  row("A100-SXM-40GB", "Lambda", "onDemand", 1.29, "2025-02-28", "https://web.archive.org/web/20241119072257/https://lambdalabs.com/service/gpu-cloud"),
  row("A100-SXM-40GB", "Amazon Web Services", "threeYear", 1.45, "2025-03-02", "https://web.archive.org/web/20250302190228/https://aws.amazon.com/ec2/instance-types/p4/"),
  row("A100-SXM-40GB", "Google Cloud", "oneYear", 1.85, "2022-12-12", "https://web.archive.org/web/20221212030420/https://cloud.google.com/compute/gpus-pricing"),
  row("A100-SXM-40GB", "Oblivus Cloud", "onDemand", 2.39, "2023-05-24", "https://github.com/the-full-stack/website/blob/main/docs/cloud-gpus/cloud-gpus.csv"),
  row("A100-SXM-40GB", "Amazon Web Services", "oneYear", 2.4, "2025-03-02", "https://web.archive.org/web/20250302190228/https://aws.amazon.com/ec2/instance-types/p4/"),
  row("A100-SXM-40GB", "Google Cloud", "onDemand", 2.93, "2022-12-12", "https://web.archive.org/web/20221212030420/https://cloud.google.com/compute/gpus-pricing"),
  row("A100-SXM-40GB", "Oracle Cloud", "onDemand", 3.05, "2025-03-17", "https://web.archive.org/web/20250317145952/https://www.oracle.com/cloud/compute/gpu/pricing/"),
  row("A100-SXM-40GB", "Paperspace", "onDemand", 3.09, "2022-08-04", "https://github.com/the-full-stack/website/blob/main/docs/cloud-gpus/cloud-gpus.csv"),
  row("A100-SXM-40GB", "Amazon Web Services", "onDemand", 4.1, "2025-03-02", "https://web.archive.org/web/20250302190228/https://aws.amazon.com/ec2/instance-types/p4/"),
  row("A800-SXM-80GB", "FLM-101B implied", "onDemand", 0.9901, "2023-09-07", "https://arxiv.org/abs/2309.03852v3"),
  row("H100-SXM-80GB", "Verda", "spot", 0.8015, "2026", "https://github.com/skypilot-org/skypilot-catalog/blob/000c1d0bf24621f4ac37cfa585f0897c1aa1d9cf/catalogs/v8/verda/vms.csv"),
  row("H100-SXM-80GB", "Nebius", "spot", 1.25, "2026", "https://github.com/skypilot-org/skypilot-catalog/blob/0082b0435f3912ae4c566856b272455cc78f4f61/catalogs/v8/nebius/vms.csv"),
  row("H100-SXM-80GB", "Verda", "onDemand", 2.29, "2026", "https://github.com/skypilot-org/skypilot-catalog/blob/000c1d0bf24621f4ac37cfa585f0897c1aa1d9cf/catalogs/v8/verda/vms.csv"),
  row("H100-SXM-80GB", "Cudo Compute", "onDemand", 2.45, "2025-03-03", "https://web.archive.org/save/https://www.cudocompute.com/products/gpu-cloud"),
  row("H100-SXM-80GB", "Oblivus Cloud", "onDemand", 2.94, "2025-03-03", "https://web.archive.org/web/20250303153131/https://oblivus.com/pricing/"),
  row("H100-SXM-80GB", "Nebius", "onDemand", 2.95, "2026", "https://github.com/skypilot-org/skypilot-catalog/blob/0082b0435f3912ae4c566856b272455cc78f4f61/catalogs/v8/nebius/vms.csv"),
  row("H100-SXM-80GB", "RunPod", "onDemand", 2.99, "2025-03-03", "https://web.archive.org/web/20250303172225/https://www.runpod.io/pricing"),
  row("H100-SXM-80GB", "CR8DL", "onDemand", 3.95, "2025-03-03", "https://web.archive.org/web/20250303170410/https://www.cr8dl.ai/cloud-gpu"),
  row("H100-SXM-80GB", "Lambda", "onDemand", 3.99, "2026", "https://github.com/skypilot-org/skypilot-catalog/blob/0f4070387edc953d7004cff197940e1918a1d6aa/catalogs/v8/lambda/vms.csv"),
  row("H100-SXM-80GB", "Latitude.sh", "onDemand", 4.03, "2023-06-22", "https://github.com/the-full-stack/website/blob/main/docs/cloud-gpus/cloud-gpus.csv"),
  row("H100-SXM-80GB", "FluidStack", "onDemand", 4.76, "2023-10-31", "https://github.com/the-full-stack/website/blob/main/docs/cloud-gpus/cloud-gpus.csv"),
  row("H100-SXM-80GB", "NovoNimbus", "onDemand", 4.78, "2024-02-14", "https://github.com/the-full-stack/website/blob/main/docs/cloud-gpus/cloud-gpus.csv"),
  row("H100-SXM-80GB", "Google Cloud", "threeYear", 4.86, "2025-03-17", "https://web.archive.org/web/20250317151647/https://cloud.google.com/compute/all-pricing?hl=ru"),
  row("H100-SXM-80GB", "Databricks", "onDemand", 5.0, "2023-06-22", "https://web.archive.org/web/20240411010832/https://www.databricks.com/blog/mpt-30b"),
  row("H100-SXM-80GB", "Google Cloud", "oneYear", 7.67, "2025-03-17", "https://web.archive.org/web/20250317151647/https://cloud.google.com/compute/all-pricing?hl=ru"),
  row("H100-SXM-80GB", "Oracle Cloud", "onDemand", 10.0, "2025-03-17", "https://web.archive.org/web/20250317145952/https://www.oracle.com/cloud/compute/gpu/pricing/"),
  row("H100-SXM-80GB", "Google Cloud", "onDemand", 11.06, "2025-03-17", "https://web.archive.org/web/20250317151647/https://cloud.google.com/compute/all-pricing?hl=ru"),
  row("H100-SXM-80GB", "Amazon Web Services", "onDemand", 12.29, "2025-03-17", "https://web.archive.org/web/20250317144823/https://aws.amazon.com/ec2/pricing/on-demand/ "),
  row("H800-SXM-80GB", "DeepSeek assumption", "onDemand", 2.0, "2024-12-27", "https://arxiv.org/abs/2412.19437"),
  row("H800-SXM-80GB", "CR8DL", "onDemand", 3.42, "2025-03-03", "https://web.archive.org/web/20250303170410/https://www.cr8dl.ai/cloud-gpu"),
  row("H200-SXM-141GB", "Nebius", "spot", 1.45, "2026", "https://github.com/skypilot-org/skypilot-catalog/blob/0082b0435f3912ae4c566856b272455cc78f4f61/catalogs/v8/nebius/vms.csv"),
  row("H200-SXM-141GB", "Verda", "onDemand", 3.39, "2026", "https://github.com/skypilot-org/skypilot-catalog/blob/000c1d0bf24621f4ac37cfa585f0897c1aa1d9cf/catalogs/v8/verda/vms.csv"),
  row("H200-SXM-141GB", "Nebius", "onDemand", 3.5, "2026", "https://github.com/skypilot-org/skypilot-catalog/blob/0082b0435f3912ae4c566856b272455cc78f4f61/catalogs/v8/nebius/vms.csv"),
  row("H200-SXM-141GB", "Amazon Web Services", "onDemand", 10.6, "2025-03-17", "https://web.archive.org/web/20250317144823/https://aws.amazon.com/ec2/pricing/on-demand/"),
  row("B200-SXM-180GB", "Verda", "spot", 1.712, "2026", "https://github.com/skypilot-org/skypilot-catalog/blob/000c1d0bf24621f4ac37cfa585f0897c1aa1d9cf/catalogs/v8/verda/vms.csv"),
  row("B200-SXM-180GB", "Verda", "onDemand", 4.89, "2026", "https://github.com/skypilot-org/skypilot-catalog/blob/000c1d0bf24621f4ac37cfa585f0897c1aa1d9cf/catalogs/v8/verda/vms.csv"),
  row("B200-SXM-180GB", "Nebius", "onDemand", 5.5, "2026", "https://github.com/skypilot-org/skypilot-catalog/blob/0082b0435f3912ae4c566856b272455cc78f4f61/catalogs/v8/nebius/vms.csv"),
  row("B200-SXM-180GB", "Lambda", "onDemand", 6.99, "2026", "https://github.com/skypilot-org/skypilot-catalog/blob/0f4070387edc953d7004cff197940e1918a1d6aa/catalogs/v8/lambda/vms.csv"),
];

/** Prices of a device under a commitment, lowest first, optionally at one provider and not before a date. */
export function clusterPrices(device: string, filter: { commitment?: Commitment; provider?: string; since?: string } = {}): ClusterPriceRow[] {
  const { commitment = "onDemand", provider, since = "" } = filter;
  return clusterPriceRows
    .filter((row) => row.device === device && row.commitment === commitment && row.date >= since && (provider === undefined || row.provider === provider))
    .toSorted((a, b) => a.usdPerGpuHour - b.usdPerGpuHour);
}

/** Devices that hardly anybody lists, and the one with the same chip that most clouds do: the slower NVLink is no reason for another price. */
const SAME_CHIP: Readonly<Record<string, string>> = { "A800-SXM-80GB": "A100-SXM-80GB", "H800-SXM-80GB": "H100-SXM-80GB" };
/** Own prices below which a range needs others. */
const ENOUGH = 3;

/** On-demand prices of the same chip where a device has hardly any of its own: for the ends of a range, not for its middle. */
export function standInPrices(device: string): ClusterPriceRow[] {
  const other = SAME_CHIP[device];
  return other === undefined || clusterPrices(device).length >= ENOUGH ? [] : clusterPrices(other);
}
