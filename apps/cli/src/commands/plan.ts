import { atomicWrite } from "@espalier/core/node";
import {
  calibrateCluster, clusterLayout, type ClusterModel, type ClusterRun, clusterPrices, defaultBatchSize, findClusterModel, flm101b, frontPicture, growthReadings, growthStages, parameterBuckets,
  parseQuantity, planCluster, type PlannedTokens, writeCsv,
} from "@espalier/cost";
import type { Command } from "commander";
import pc from "picocolors";
import { workspace } from "#workspace";
import { action } from "../command.ts";
import { addClusterOptions, type ClusterOptions, clusterOf, fixedLayout } from "../cost/options.ts";
import { billions, layoutText, modelText, number } from "../cost/text.ts";
import { positive } from "../options.ts";
import { tableLines } from "../terminal/table.ts";
import { UsageError, wordsAlone } from "../usage.ts";

interface PlanOptions extends ClusterOptions {
  budget: string;
  deadline: string;
  data?: string;
  targetLoss?: number;
  instead?: string[];
  measuredStep?: string;
  anyPrecision?: boolean;
  page?: string;
}

const READINGS = { naive: "naive (all tokens count)", lossMatching: "loss matching", transfer: "with fitted transfer" } as const;

/** `flm-16b:245B` as a stage somebody else planned. */
function parseStage(text: string): PlannedTokens {
  const [name, tokens] = text.split(":");
  if (!name || !tokens) throw new UsageError(`--instead: is "${text}", expected MODEL:TOKENS such as flm-16b:245B. Give every stage of the schedule.`);
  return { model: findClusterModel(name).model, tokens: parseQuantity(tokens, "tokens", "--instead") };
}

/** The paper's own schedule in its own layouts, when FLM-101B is planned on as many GPUs as it had. */
function paperSchedule(target: string, numGpus: number): PlannedTokens[] | undefined {
  if (target !== "flm-101b" || numGpus !== flm101b.cluster.numGpus) return undefined;
  const tokens = growthStages(flm101b).map((stage) => stage.tokens);
  return flm101b.stages.map((s, i) => ({
    model: findClusterModel(`flm-${s.name.toLowerCase()}`).model,
    tokens: tokens[i]!,
    layout: clusterLayout({ tensor: s.tensorParallel, pipeline: s.pipelineParallel, data: s.dataParallel, globalBatchSize: s.batchSequences }),
  }));
}

const stagesText = (run: ClusterRun) => run.stages.map((s) => `${s.grownBy ? `${s.grownBy.operator}: ` : ""}${billions(s.parameters)} ${modelText(s.model)} on ${billions(s.tokens)}`).join(" -> ");
const grownByText = ({ grownBy }: ClusterRun["stages"][number]) => (grownBy ? `${grownBy.operator} (${grownBy.basis})` : "");

function csvOf(runs: readonly (ClusterRun & { name: string })[]): string {
  return writeCsv(
    runs.flatMap((run, index) =>
      run.stages.map((stage, i) => ({
        run: index, name: run.name, kind: run.kind, gpus: run.numGpus, usd: run.usd.value, usd_low: run.usd.low, usd_high: run.usd.high, days: run.days.value, days_low: run.days.low, days_high: run.days.high,
        loss_naive: run.loss.naive.value, loss_matching: run.loss.lossMatching.value, loss_transfer: run.loss.transfer.value,
        stage: i, layers: stage.model.numLayers, width: stage.model.residualDim, parameters: stage.parameters, tokens: stage.tokens, stage_days: stage.days, step_seconds: stage.stepSeconds, layout: layoutText(stage.layout),
        grown_by: stage.grownBy?.operator ?? "", law_basis: stage.grownBy?.basis ?? "",
      })),
    ),
  );
}

export function addPlan(program: Command): void {
  const command = program
    .command("plan")
    .description("the growth schedule and the layouts for a budget, a deadline and a cluster, beside its rivals")
    .argument("[target]", "the model to end at (flm-101b, llama-2-70b, 48x5120 ...)", "flm-101b")
    .option("--budget <dollars>", "such as 100k", "100k")
    .option("--deadline <time>", "such as 21.5d or 500h", "21.54d")
    .option("--data <tokens>", "that there are, such as 2T")
    .option("--target-loss <nats>", "also the cheapest run that reaches it, by loss matching", positive)
    .option("--instead <stages...>", "a schedule to compare with, MODEL:TOKENS a stage (default for flm-101b: the paper's)")
    .option("--measured-step <seconds>", "of the first stage of that schedule, in its layout: calibrates the cluster");
  command.option("--any-precision", "choose FP8 too, where the device has it; no law knows what it costs in loss");
  command.option("--page <file>", "write the planner as a page to play with (sliders, stages that can be dragged), and plan nothing");
  addClusterOptions(command).action(
    action<PlanOptions>(wordsAlone(async (options, { output, path }, [name = "flm-101b"]) => {
      if (options.page !== undefined) {
        await atomicWrite(path(options.page), await workspace.plannerPage());
        output.line(`Planner: ${path(options.page)}. Open it in a browser; it needs nothing else.`);
        return output.result("page", { file: path(options.page) });
      }
      const target = findClusterModel(name);
      const machine = clusterOf(options);
      const budgetUsd = parseQuantity(options.budget, "dollars", "--budget");
      const deadlineDays = parseQuantity(options.deadline, "days", "--deadline");
      const known = clusterPrices(machine.device.id);
      if (options.price === undefined && known.length === 0) throw new UsageError(`plan: --price: the catalogue has no price of ${machine.device.id}. Give dollars an hour.`);
      const usdPerGpuHour = options.price === undefined ? known[(known.length - 1) >> 1]!.usdPerGpuHour : parseQuantity(options.price, "dollars an hour", "--price");
      const globalBatchSize = options.batch ?? defaultBatchSize(target.model, machine.numGpus);
      const incumbent = options.instead ? options.instead.map(parseStage) : paperSchedule(target.id, machine.numGpus);
      const first = incumbent?.[0];
      if (options.measuredStep !== undefined && !first?.layout) throw new UsageError("plan: --measured-step: there is no first stage with a layout to measure. Leave it out, or plan flm-101b on 192 GPUs.");
      const started = performance.now();
      const plan = planCluster({
        target: target.model as ClusterModel, cluster: machine, globalBatchSize, budgetUsd, deadlineDays, usdPerGpuHour, layout: fixedLayout(options),
        ...(options.data === undefined ? {} : { dataTokens: parseQuantity(options.data, "tokens", "--data") }),
        ...(options.anyPrecision && options.precision === undefined ? { precisions: ["bf16" as const, "fp8" as const] } : {}),
        ...(options.targetLoss === undefined ? {} : { targetLoss: options.targetLoss }),
        ...(incumbent ? { incumbent } : {}),
        ...(options.measuredStep === undefined ? {} : { calibration: calibrateCluster([{ model: first!.model, layout: first!.layout!, cluster: machine, seconds: parseQuantity(options.measuredStep, "seconds", "--measured-step") }]) }),
      });
      const seconds = (performance.now() - started) / 1000;
      const rivals: [string, ClusterRun | undefined][] = [["compared with", plan.rivals.incumbent], ["from scratch", plan.rivals.scratch], ["plain smaller model", plan.rivals.smaller]];
      const named = [
        ...growthReadings.map((reading) => ({ name: `best, ${READINGS[reading]}`, ...plan.best[reading] })),
        ...rivals.flatMap(([label, run]) => (run ? [{ name: label, ...run }] : [])),
        ...(plan.cheapest ? [{ name: `cheapest to ${options.targetLoss}`, ...plan.cheapest }] : []),
      ];
      output.line(pc.bold(`${target.id} (${billions(parameterBuckets(target.model).total)}) for ${number(budgetUsd)} USD within ${number(deadlineDays)} days on ${machine.numGpus} ${machine.device.id} at ${usdPerGpuHour} USD an hour, goodput ${plan.goodput.goodput.toFixed(3)}`));
      output.line("");
      const row = (run: (typeof named)[number]) => [
        run.name, ...growthReadings.map((reading) => run.loss[reading].value.toFixed(3)), `${run.days.value.toFixed(1)} (${run.days.low.toFixed(1)} to ${run.days.high.toFixed(1)})`, number(run.usd.value), stagesText(run),
      ];
      output.verbatim(tableLines(["run", "naive", "matching", "transfer", "days", "USD", "stages: parameters, shape, tokens"], named.map(row), [1, 2, 3, 5]));
      output.line("\nPredicted loss in nats per token by three readings of growth: every token counts; a grown model is as good as its loss; it learns as much faster or slower as its operator's law value says.");
      if (plan.gains) {
        for (const reading of growthReadings) {
          const { nats, usdShareAtEqualLoss } = plan.gains[reading];
          output.line(`- ${READINGS[reading]}: ${nats.toFixed(3)} nats below the schedule compared with for the same money${usdShareAtEqualLoss === null ? "" : `, or its loss for ${(100 * usdShareAtEqualLoss).toFixed(0)} % of its money`}`);
        }
      }
      if (plan.cheapest === null) output.line(`- no run within money and time reaches a loss of ${options.targetLoss} by loss matching`);
      output.line(pc.bold("\nLayouts of the best schedule by loss matching"));
      output.verbatim(tableLines(["stage", "step, s", "days", "layout"], plan.best.lossMatching.stages.map((s) => [`${billions(s.parameters)} ${modelText(s.model)}`, number(s.stepSeconds), number(s.days), layoutText(s.layout)]), [1, 2]));
      output.line(pc.bold("\nOperators of the growths of the best schedules; law values are fitted to own runs, published or assumed"));
      const growths = growthReadings.flatMap((reading) => plan.best[reading].stages.flatMap((s, i) => (s.grownBy ? [[READINGS[reading], `${i + 1}`, grownByText(s), s.grownBy.retention.toFixed(2), (1 + s.grownBy.transfer).toFixed(2), s.grownBy.source]] : [])));
      output.verbatim(tableLines(["best by", "into stage", "operator", "keeps", "tokens count", "source"], growths, [1, 3, 4]));
      output.line(pc.bold("\nFront: no other run is at once cheaper, sooner and better by loss matching"));
      output.verbatim(tableLines(["kind", "GPUs", "USD", "days", "loss", "stages"], plan.front.map((run) => [run.kind, `${run.numGpus}`, number(run.usd.value), run.days.value.toFixed(1), run.loss.lossMatching.value.toFixed(3), stagesText(run)]), [1, 2, 3, 4]));
      output.line("");
      for (const warning of plan.warnings) output.line(pc.yellow(`warning: ${warning}`));
      output.line(pc.dim(`${plan.layoutsTried.toLocaleString("en")} layouts and ${plan.evaluations.toLocaleString("en")} schedules in ${seconds.toFixed(1)} s`));
      if (options.csv !== undefined) await atomicWrite(path(options.csv), csvOf([...named, ...plan.front.map((run) => ({ name: "front", ...run }))]));
      if (options.svg !== undefined) await atomicWrite(path(options.svg), frontPicture(`${target.id} on up to ${machine.numGpus} ${machine.device.id}`, plan));
      output.result("plan", plan);
    })),
  );
}
