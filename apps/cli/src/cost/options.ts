import {
  calibrateCluster, type Cluster, cluster, type ClusterCalibration, type ClusterLayout, clusterLayout, type ClusterModel, findGrid, type GridRow, gridRows,
  parseQuantity, type PueRow, pueRows, uncalibrated,
} from "@espalier/cost";
import { type Command, Option } from "commander";
import { positiveInteger } from "../options.ts";
import { UsageError } from "../usage.ts";

/** What `cost` and `plan` share: the cluster, how the model is laid out there, and where results go. */
export interface ClusterOptions {
  gpu: string;
  gpus: number;
  network?: string;
  batch?: number;
  price?: string;
  tensor?: number;
  pipeline?: number;
  context?: number;
  expert?: number;
  microBatch?: number;
  schedule?: ClusterLayout["schedule"];
  virtualStages?: number;
  recompute?: ClusterLayout["recompute"];
  sharding?: ClusterLayout["sharding"];
  precision?: ClusterLayout["precision"];
  csv?: string;
  svg?: string;
  json?: boolean;
}

export function addClusterOptions(command: Command): Command {
  return command
    .option("--gpu <name>", "device of the catalogue", "A800-SXM-80GB")
    .option("--gpus <n>", "devices of the whole cluster", positiveInteger, 192)
    .option("--network <speed>", "of one GPU between nodes, gigabits a second (default: the device's usual)")
    .option("--batch <sequences>", "sequences of one step", positiveInteger)
    .option("--price <dollars>", "of one GPU for an hour (default: prices of the catalogue)")
    .option("--tensor <n>", "tensor parallel ranks (default: searched, as all of the layout)", positiveInteger)
    .option("--pipeline <n>", "pipeline stages", positiveInteger)
    .option("--context <n>", "context parallel ranks", positiveInteger)
    .option("--expert <n>", "expert parallel ranks", positiveInteger)
    .option("--micro-batch <n>", "sequences of one forward pass", positiveInteger)
    .addOption(new Option("--schedule <kind>", "of the pipeline").choices(["1f1b", "interleaved", "zeroBubble"]))
    .option("--virtual-stages <n>", "pieces a rank, interleaved", positiveInteger)
    .addOption(new Option("--recompute <what>", "in the backward pass").choices(["none", "selective", "alternate", "full"]))
    .addOption(new Option("--sharding <what>", "over data parallel ranks").choices(["none", "optimizer", "gradients", "full"]))
    .addOption(new Option("--precision <kind>", "of matrix products").choices(["bf16", "fp8"]))
    .option("--csv <file>", "rows for a spreadsheet, to write")
    .option("--svg <file>", "picture to write");
}

export function clusterOf({ gpu, gpus, network }: ClusterOptions): Cluster {
  return cluster(gpu, gpus, network === undefined ? {} : { interNodeGbitPerSecond: parseQuantity(network, "gigabits a second", "--network") });
}

/** The settings that the user fixed; the rest is searched. */
export function fixedLayout(o: ClusterOptions): Partial<ClusterLayout> {
  const given: Partial<ClusterLayout> = {
    tensor: o.tensor, pipeline: o.pipeline, context: o.context, expert: o.expert, microBatchSize: o.microBatch, schedule: o.schedule,
    virtualStages: o.virtualStages ?? (o.schedule === "interleaved" ? 2 : undefined), recompute: o.recompute, sharding: o.sharding, precision: o.precision,
  } as Partial<ClusterLayout>;
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

/** Calibration from one measured step of the layout at hand. */
export function calibrationOf(measured: string | undefined, model: ClusterModel, layout: ClusterLayout, machine: Cluster): ClusterCalibration {
  if (measured === undefined) return uncalibrated;
  return calibrateCluster([{ model, layout, cluster: machine, seconds: parseQuantity(measured, "seconds", "--measured-step") }]);
}

/** A layout that the user gave whole: enough of it to be measured. */
export function wholeLayout(fixed: Partial<ClusterLayout>, machine: Cluster, globalBatchSize: number): ClusterLayout {
  const { tensor = 1, pipeline = 1, context = 1 } = fixed;
  return clusterLayout({ ...fixed, globalBatchSize, data: machine.numGpus / (tensor * pipeline * context) });
}

export function gridOf(name: string | undefined): GridRow {
  const row = findGrid((name ?? "WORLD").toUpperCase());
  if (!row) throw new UsageError(`--grid: is "${name}", expected one of ${gridRows.map(({ id }) => id).join(", ")}. Choose the country of the machines.`);
  return row;
}

export function pueOf(name: string | undefined): PueRow {
  if (name === undefined) return pueRows[0]!;
  const row = pueRows.find(({ id }) => id === name.toLowerCase());
  if (row) return row;
  const pue = Number(name);
  if (!(pue >= 1 && pue < 4)) throw new UsageError(`--pue: is "${name}", expected 1 to 4 or one of ${pueRows.map(({ id }) => id).join(", ")}. It is facility energy over device energy.`);
  return { id: "given", pue, url: "given on the command line", date: "" };
}

/** The price that was given, as a row. */
export function pricesOf(price: string, gpu: string) {
  return [{ device: gpu, provider: "given", commitment: "onDemand" as const, usdPerGpuHour: parseQuantity(price, "dollars an hour", "--price"), url: "given on the command line", date: "" }];
}
