import { priceRange } from "../catalogue/prices.ts";
import { ZETTA } from "../flops.ts";
import { gpuHours, stageGpus, throughputFlops } from "../paper/quantities.ts";
import type { PaperTables } from "../paper/tables.ts";
import { propagateRounding, valueOf } from "../printed.ts";
import { type ArithmeticClaim, claim, verdictOn, weakest } from "./row.ts";

function gpus({ cluster, stages }: PaperTables): ArithmeticClaim {
  const counts = stages.map(stageGpus);
  return claim({
    id: "hardware.gpus",
    paper: `${cluster.numGpus} GPUs in every stage`,
    measured: counts.join(" = "),
    verdict: counts.every((count) => count === cluster.numGpus) ? "exact" : "contradicted",
    why: "Tensor, pipeline and data parallel degrees multiply to the cluster in each stage.",
    derivation: {
      formula: "tp * pp * dp",
      inputs: stages.map((stage) => ({
        name: stage.name,
        value: `${stage.tensorParallel} * ${stage.pipelineParallel} * ${stage.dataParallel}`,
        source: "Table 2",
      })),
    },
  });
}

/** Utilisation in percent from a printed rate, and what rounding of the rate allows. */
function utilisation(tflops: string, peak: string) {
  const f = (rate: number, top: number) => (100 * rate) / top;
  return {
    value: f(valueOf(tflops), valueOf(peak)),
    interval: propagateRounding([tflops], (rate) => f(rate!, valueOf(peak))),
  };
}

function stageUtilisation({ cluster, stages }: PaperTables): ArithmeticClaim {
  const rows = stages.map((stage) => ({ stage, ...utilisation(stage.tflops, cluster.peakTflops) }));
  return claim({
    id: "hardware.utilisation",
    paper: `${stages.map((stage) => stage.utilisationPercent).join(" / ")} % of ${cluster.peakTflops} TFLOP/s at ${stages.map((stage) => stage.tflops).join(" / ")}`,
    measured: `${rows.map((row) => row.value.toFixed(2)).join(" / ")} %`,
    interval: [Math.min(...rows.map((row) => row.interval[0])), Math.max(...rows.map((row) => row.interval[1]))],
    verdict: weakest(rows.map((row) => verdictOn(row.value, row.stage.utilisationPercent, row.interval))),
    why: "The rates are printed without decimals; 161.9 and 160.1 TFLOP/s give the printed first two.",
    derivation: {
      formula: "rate / peak",
      inputs: [
        ...stages.map((stage) => ({ name: stage.name, value: stage.tflops, source: "Table 2" })),
        { name: "peak", value: cluster.peakTflops, source: "A800 data sheet" },
      ],
    },
  });
}

function rivalUtilisation({ cluster, rival }: PaperTables): ArithmeticClaim {
  const { value, interval } = utilisation(rival.tflops, cluster.peakTflops);
  return claim({
    id: "hardware.glm-utilisation",
    paper: `${rival.utilisationPercent} % for ${rival.tflops} TFLOP/s`,
    measured: `${value.toFixed(2)} %`,
    interval,
    verdict: verdictOn(value, rival.utilisationPercent, interval),
    why: "Outside what rounding of the rate allows; one digit is misprinted.",
    derivation: {
      formula: "rate / peak",
      inputs: [
        { name: "rate", value: rival.tflops, source: "section 3" },
        { name: "peak", value: cluster.peakTflops, source: "A100 data sheet" },
      ],
    },
  });
}

function goodput(tables: PaperTables): ArithmeticClaim {
  const moved = throughputFlops(tables) / ZETTA;
  const share = valueOf(tables.flmCost.total) / moved;
  return claim({
    id: "hardware.goodput",
    paper: `${tables.flmCost.total} zettaFLOPs; throughput x time is ${tables.derived.throughputZetta} (derived)`,
    measured: `${moved.toFixed(2)} zettaFLOPs of throughput x time; goodput ${share.toFixed(2)}`,
    verdict: verdictOn(moved, tables.derived.throughputZetta),
    why: "Either a tenth of the days was not training (restarts, evaluation, checkpoints), or the rates count more FLOPs than the cost does.",
    derivation: {
      formula: "sum over stages of GPUs * TFLOP/s * days * 86400; goodput = cost / that",
      inputs: tables.stages.map((stage) => ({
        name: stage.name,
        value: `${stageGpus(stage)} * ${stage.tflops} * ${stage.days}`,
        source: "Tables 1 and 2",
      })),
    },
  });
}

function budget(tables: PaperTables): ArithmeticClaim {
  const hours = gpuHours(tables);
  const budgetUsd = valueOf(tables.text.budgetUsd);
  const rate = budgetUsd / hours.value;
  const a800 = priceRange("A800")!;
  const a100 = priceRange("A100-80GB")!;
  const low = a800.low.usdPerHour;
  const high = a100.high.usdPerHour;
  const inside = low <= rate && rate <= high;
  return claim({
    id: "money.budget",
    paper: `${tables.text.budgetUsd} USD`,
    measured: `${rate.toFixed(2)} USD per GPU-hour implied over ${Math.round(hours.value).toLocaleString("en-US")} hours`,
    interval: [hours.value * low, hours.value * high],
    verdict: inside ? "reproduced" : "contradicted",
    why: `The paper states no rate. The implied one lies inside the catalogue (A800 ${low} to ${a800.high.usdPerHour}, A100-80GB ${a100.low.usdPerHour} to ${high} USD per hour), at its low end. The data, the grid search, failed runs and people are outside the budget.`,
    derivation: {
      formula: "rate = budget / (GPUs * days * 24)",
      inputs: [
        { name: "budget", value: tables.text.budgetUsd, source: "abstract" },
        { name: "GPUs", value: tables.cluster.numGpus, source: "section 3" },
        { name: "days", value: tables.schedule.totalDays, source: "Table 1" },
        ...[a800.low, a800.high, a100.low, a100.high].map((row) => ({
          name: `${row.device} at ${row.provider}`,
          value: row.usdPerHour,
          source: `${row.date}, ${row.url}`,
        })),
      ],
    },
  });
}

/** Every `hardware.*` and `money.*` row. */
export function hardwareClaims(tables: PaperTables): ArithmeticClaim[] {
  return [gpus(tables), stageUtilisation(tables), rivalUtilisation(tables), goodput(tables), budget(tables)];
}
