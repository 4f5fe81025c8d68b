import { atomicWrite } from "@espalier/core/node";
import {
  clusterGoodput, defaultBatchSize, defaultFailures, estimateRun, findClusterModel, parameterBuckets, parseQuantity, pipelinePicture, rankSeconds, type SimulationParts, type SimulationRequest,
  type SimulationSummary, simulatePipeline, simulateRuns, simulateStep, waitingShare, writeCsv,
} from "@espalier/cost";
import type { Command } from "commander";
import pc from "picocolors";
import { action } from "../command.ts";
import { addClusterOptions, type ClusterOptions, clusterOf, fixedLayout, pricesOf, wholeLayout } from "../cost/options.ts";
import { billions, layoutText, modelText, number, range } from "../cost/text.ts";
import { integer, positive, positiveInteger } from "../options.ts";
import { tableLines } from "../terminal/table.ts";
import { UsageError, wordsAlone } from "../usage.ts";

interface SimulateOptions extends ClusterOptions {
  tokens?: string;
  runs: number;
  seed: number;
  mtbfHours: number;
  checkpoint: string;
  restart: string;
  spares?: string;
  repairHours?: number;
  slowHours?: number;
  slowdown: number;
  notice?: string;
  growths: string;
  growthPause: string;
}

const PARTS: Record<keyof SimulationParts, string> = {
  work: "training", checkpoints: "checkpoints", lost: "lost to failures", restarts: "restarts", waiting: "waiting for a node", stragglers: "slow devices", growth: "growth",
};
const DAY = 86400;
/** Micro-batches a rank that the picture shows at most; more are too narrow to see. */
const SHOWN_PER_RANK = 4;

const wholeNumber = (text: string, name: string) => {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new UsageError(`${name}: is "${text}", expected a whole number of at least 0. Give a count.`);
  return value;
};

/** What happens to the run, from the options. */
function happenings(o: SimulateOptions, numGpus: number, workSeconds: number): SimulationRequest {
  if (o.notice !== undefined && o.slowHours === undefined) throw new UsageError("--notice: is given without --slow-hours, expected both. Say how often a device becomes slow.");
  if ((o.spares === undefined) !== (o.repairHours === undefined)) throw new UsageError("--spares and --repair-hours: one is missing, expected both or neither. Give the nodes that stand by and how long a repair takes.");
  const count = wholeNumber(o.growths, "--growths");
  const pauseSeconds = parseQuantity(o.growthPause, "seconds", "--growth-pause");
  return {
    numGpus, workSeconds, seed: o.seed,
    failures: { ...defaultFailures, mtbfHours: o.mtbfHours, checkpointSeconds: parseQuantity(o.checkpoint, "seconds", "--checkpoint"), restartSeconds: parseQuantity(o.restart, "seconds", "--restart") },
    ...(o.slowHours === undefined ? {} : { stragglers: { meanHours: o.slowHours, slowdown: o.slowdown, ...(o.notice === undefined ? {} : { detectSeconds: parseQuantity(o.notice, "seconds", "--notice") }) } }),
    ...(o.spares === undefined ? {} : { spares: { spareNodes: wholeNumber(o.spares, "--spares"), repairHours: o.repairHours! } }),
    growths: Array.from({ length: count }, (_, i) => ({ atSeconds: ((i + 1) * workSeconds) / (count + 1), pauseSeconds })),
  };
}

function csvOf(summary: SimulationSummary): string {
  return writeCsv(summary.runs.map((run, i) => ({ run: i, days: run.seconds / DAY, goodput: run.goodput, failures: run.numFailures, ...Object.fromEntries(Object.entries(run.parts).map(([name, seconds]) => [`${name}_days`, seconds / DAY])) })));
}

export function addSimulate(program: Command): void {
  const command = program
    .command("simulate")
    .description("a run event by event: failures, restarts, spare nodes, slow devices, growth; and its pipeline, operation by operation")
    .argument("[model]", "a model (flm-101b, llama-2-70b, 48x5120 ...)", "flm-101b")
    .option("--tokens <n>", "such as 300B (default: those of the model, or 20 a parameter)")
    .option("--runs <n>", "seeds to simulate", positiveInteger, 20)
    .option("--seed <n>", "of the first run", integer, 0)
    .option("--mtbf-hours <hours>", "that one GPU runs between failures", positive, defaultFailures.mtbfHours)
    .option("--checkpoint <time>", "to write one", `${defaultFailures.checkpointSeconds}s`)
    .option("--restart <time>", "from a failure to training again", `${defaultFailures.restartSeconds}s`)
    .option("--spares <nodes>", "that stand by (default: a replacement is always at hand)")
    .option("--repair-hours <hours>", "until a broken node is back", positive)
    .option("--slow-hours <hours>", "that one GPU runs until it slows the job down (default: none does)", positive)
    .option("--slowdown <factor>", "step time over the usual while one is slow", positive, 1.3)
    .option("--notice <time>", "until a slow one is swapped (default: at the next failure)")
    .option("--growths <n>", "growths, evenly over the training time", "0")
    .option("--growth-pause <time>", "without training at one growth", "600s");
  addClusterOptions(command).action(
    action<SimulateOptions>(wordsAlone(async (options, { output, path }, [name = "flm-101b"]) => {
      const { id, model, tokens: usual } = findClusterModel(name);
      const machine = clusterOf(options);
      const tokens = options.tokens === undefined ? (usual ?? 20 * parameterBuckets(model).total) : parseQuantity(options.tokens, "tokens", "--tokens");
      const globalBatchSize = options.batch ?? defaultBatchSize(model, machine.numGpus);
      const fixed = fixedLayout(options);
      const layout = fixed.tensor !== undefined && fixed.pipeline !== undefined ? wholeLayout(fixed, machine, globalBatchSize) : undefined;
      const { layout: chosen, numSteps, step } = estimateRun({ model, cluster: machine, tokens, globalBatchSize, fixed, prices: pricesOf(options.price ?? "1", machine.device.id), ...(layout ? { layout } : {}) });

      const request = happenings(options, machine.numGpus, numSteps * step.seconds);
      const started = performance.now();
      const summary = simulateRuns(request, options.runs);
      const wallSeconds = (performance.now() - started) / 1000;
      const closed = clusterGoodput(machine.numGpus, { ...request.failures!, otherShare: 0 });
      const waiting = request.spares ? waitingShare(closed.mtbfSeconds, request.spares) : 0;
      const closedGoodput = closed.goodput * (1 - waiting);

      output.line(pc.bold(`${id} (${modelText(model)}, ${billions(parameterBuckets(model).total)}), ${billions(tokens)} tokens on ${machine.numGpus} ${machine.device.id}: ${options.runs} runs`));
      output.line(`layout    ${layoutText(chosen)}; ${number(step.seconds)} s a step`);
      const days = { low: summary.seconds.low / DAY, value: summary.seconds.value / DAY, high: summary.seconds.high / DAY };
      output.line(`days      ${range(days)}, of them ${number(request.workSeconds / DAY)} training (the middle 80 % of the runs)`);
      output.line(`goodput   ${summary.goodput.value.toFixed(3)} (${summary.goodput.low.toFixed(3)} to ${summary.goodput.high.toFixed(3)}); closed form ${closedGoodput.toFixed(3)}${request.stragglers || request.growths!.length > 0 ? ", without slow devices and growth" : ""}`);
      output.line(`failures  ${range(summary.numFailures)}, one every ${number(closed.mtbfSeconds / 3600)} h; a checkpoint every ${number(closed.checkpointIntervalSeconds / 60)} min of work`);
      output.line("");
      const rows = (Object.keys(PARTS) as (keyof SimulationParts)[]).filter((part) => summary.parts[part] > 0);
      output.verbatim(tableLines(["where the time goes", "days", "share"], rows.map((part) => [PARTS[part], number(summary.parts[part] / DAY), `${((100 * summary.parts[part]) / summary.seconds.value).toFixed(2)} %`]), [1, 2]));

      const pipeline = simulateStep(model, chosen, machine);
      if (chosen.pipeline > 1) {
        const after = new Set(["data parallel collectives", "optimiser", "step overhead"]);
        const formula = step.parts.filter(({ name: part }) => !after.has(part)).reduce((sum, part) => sum + part.seconds, 0);
        output.line(`\nPipeline of a step, operation by operation: ${number(pipeline.seconds)} s, ${((100 * pipeline.idleSeconds) / pipeline.seconds).toFixed(1)} % of it waiting; closed form ${number(formula)} s. Most micro-batches held at once, by rank: ${pipeline.inFlight.map(number).join(", ")}.`);
        const middle = chosen.pipeline >> 1;
        const slow = simulateStep(model, chosen, machine, { slow: { [middle]: options.slowdown } });
        output.line(`With rank ${middle} ${options.slowdown} times slower it takes ${number(slow.seconds)} s, ${(slow.seconds / pipeline.seconds).toFixed(2)} times as long.`);
      }
      output.line(pc.dim(`${options.runs} runs in ${wallSeconds.toFixed(2)} s`));
      if (options.csv !== undefined) await atomicWrite(path(options.csv), csvOf(summary));
      if (options.svg !== undefined) {
        if (chosen.pipeline === 1) throw new UsageError("simulate: --svg: the layout has one pipeline stage, expected at least two to draw. Give --pipeline.");
        const all = chosen.globalBatchSize / (chosen.data * chosen.microBatchSize);
        const microBatches = Math.min(all, SHOWN_PER_RANK * chosen.pipeline);
        const ranks = rankSeconds(model, chosen, machine);
        const picture = simulatePipeline({ ranks, microBatches, schedule: chosen.schedule, virtualStages: chosen.virtualStages });
        await atomicWrite(path(options.svg), pipelinePicture(`${id}, ${chosen.schedule}: ${microBatches === all ? "" : `${microBatches} of `}${all} micro-batches`, picture));
      }
      const { runs, ...totals } = summary;
      output.result("simulation", {
        model: id, tokens, cluster: machine, layout: chosen, stepSeconds: step.seconds, request, ...totals, closedForm: { ...closed, waitingShare: waiting, goodput: closedGoodput },
        runs: runs.map(({ events, ...run }) => ({ ...run, numEvents: events.length })),
        pipeline: { seconds: pipeline.seconds, idleSeconds: pipeline.idleSeconds, inFlight: pipeline.inFlight },
      });
    })),
  );
}
