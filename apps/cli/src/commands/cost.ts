import { atomicWrite } from "@espalier/core/node";
import {
  arithmeticClaims, calibrateGrowth, defaultBatchSize, estimatePicture, estimateRun, findClusterModel, honestSavings, parameterBuckets, parseQuantity, predictLoss, type RunEstimate, teraflops, timingOpinions, writeCsv,
} from "@espalier/cost";
import type { ReproductionReport } from "@espalier/spec/run";
import type { Command } from "commander";
import pc from "picocolors";
import { action, type Context } from "../command.ts";
import { addClusterOptions, calibrationOf, type ClusterOptions, clusterOf, fixedLayout, gridOf, pricesOf, pueOf, wholeLayout } from "../cost/options.ts";
import { billions, layoutText, modelText, number, range } from "../cost/text.ts";
import { readReport } from "../report/reproduction.ts";
import { tableLines } from "../terminal/table.ts";
import { UsageError, wordsAlone } from "../usage.ts";

interface CostOptions extends ClusterOptions {
  tokens?: string;
  measuredStep?: string;
  grid?: string;
  pue?: string;
  workings?: boolean;
  report?: string;
}

type Output = Context["output"];

/** The paper's figures recomputed. */
function paper(output: Output, workings: boolean): void {
  const claims = arithmeticClaims();
  const width = Math.max(...claims.map(({ id }) => id.length));
  for (const claim of claims) {
    const colour = claim.verdict === "contradicted" ? pc.red : claim.verdict === "exact" ? pc.green : pc.yellow;
    output.line(`${claim.id.padEnd(width)}  ${colour(claim.verdict.padEnd(12))}  ${claim.paper}  ->  ${claim.measured}`);
    if (workings) output.line(`${" ".repeat(width + 2)}${pc.dim(claim.workings)}`);
  }
  output.result("claims", claims);
}

/** Published claims of growth, as printed and at equal loss; what the laws say about timing. */
function savings(output: Output): void {
  const claims = honestSavings();
  const shown = (list: readonly number[]) => (list.length === 0 ? "not measured" : list.map((saving) => (100 * saving).toFixed(1)).join(", ") + " %");
  output.verbatim(tableLines(["work", "claimed", "FLOPs saved at equal loss", "reading"], claims.map((c) => [c.work, c.claimed, shown(c.savings), c.reading])));
  const timing = timingOpinions(1e9, 20e9);
  output.line(`\nWhen to grow, for a target of 1B parameters on 20B tokens. ${timing.sentence}`);
  const percent = (share: number) => `${(100 * share).toFixed(0)} %`;
  output.verbatim(tableLines(["arXiv", "setting", "tokens before growth", "as good"], timing.opinions.map((o) => [o.source, o.setting, percent(o.shareBefore), o.flat ? o.flat.map(percent).join(" to ") : ""])));
  output.result("savings", { claims, timing });
}

/** The law of growth as own runs have it. */
function growth(output: Output, report: ReproductionReport): void {
  const law = calibrateGrowth(report);
  const { E, A, B, alpha, beta } = law.constants;
  const interval = ([low, high]: readonly [number, number]) => `${low.toFixed(2)} to ${high.toFixed(2)}`;
  output.line(`static law    L = ${E.toFixed(3)} + ${A.toPrecision(3)} / N^${alpha.toFixed(3)} + ${B.toPrecision(3)} / D^${beta.toFixed(3)}, from ${law.fixedRuns} runs of fixed size, ${law.fixedResidual.toFixed(3)} nats off`);
  output.line(`at growth     the loss jumps by ${law.effects.lossJump.toFixed(4)} nats (measured)`);
  output.line(`retention     ${law.effects.retention.toFixed(2)} of the matched tokens (80 %: ${interval(law.intervals.retention)})`);
  output.line(`transfer      tokens after growth count ${(1 + law.effects.transfer).toFixed(2)} times (80 %: ${interval([1 + law.intervals.transfer[0], 1 + law.intervals.transfer[1]])})`);
  for (const own of law.byRole) {
    const { retention, transfer, lossJump } = own.effects;
    output.line(`${own.role.padEnd(21)} ${own.runs} runs (${own.operators.join(", ")}): jump ${lossJump.toFixed(3)} nats, retention ${retention.toFixed(2)} (${interval(own.intervals.retention)}), tokens count ${(1 + transfer).toFixed(2)} times (${interval([1 + own.intervals.transfer[0], 1 + own.intervals.transfer[1]])})${own.heldOut === null ? "" : `, seeds left out missed by ${own.heldOut.toFixed(3)} nats`}`);
  }
  const { heldOut, lossMatching, naive } = law.errors;
  output.line(`final losses  of ${law.grownRuns} grown runs missed by ${heldOut === null ? "" : `${heldOut.toFixed(3)} nats calibrated on other seeds, `}${lossMatching.toFixed(3)} by loss matching, ${naive.toFixed(3)} naive`);
  for (const warning of law.warnings) output.line(pc.yellow(`warning: ${warning}`));
  output.result("growth", law);
}

function show(output: Output, name: string, run: RunEstimate, losses: ReturnType<typeof predictLoss>[], estimate: { tokens: number; gpu: string; gpus: number; parameters: number; tflops: number }): void {
  const { step, memory, cost, layout, goodput } = run;
  output.line(pc.bold(`${name}: ${billions(estimate.parameters)} parameters, ${billions(estimate.tokens)} tokens on ${estimate.gpus} ${estimate.gpu}`));
  output.line(`layout   ${layoutText(layout)}`);
  output.line(`step     ${number(step.seconds)} s (80 % interval ${number(step.interval[0])} to ${number(step.interval[1])}), ${run.numSteps.toLocaleString("en")} steps of ${layout.globalBatchSize} sequences, ${number(estimate.tflops)} TFLOP/s a GPU`);
  const fits = memory.fits ? pc.green("fits") : pc.red("does not fit");
  output.line(`memory   ${number(memory.peakBytes / 2 ** 30)} of ${number(memory.deviceBytes / 2 ** 30)} GiB on the fullest GPU: ${fits}`);
  for (const advice of memory.advice) output.line(`         ${advice}`);
  output.line(`time     ${range(cost.days)} days, goodput ${goodput.goodput.toFixed(3)}, a failure every ${number(goodput.mtbfSeconds / 3600)} h`);
  output.line(`money    ${range(cost.usd)} USD for ${range(cost.gpuHours)} GPU-hours`);
  output.line(`energy   ${range(cost.mwh)} MWh, ${range(cost.tCo2e)} tCO2e`);
  output.line(`loss     ${losses.map((l) => `${l.extrapolated.toFixed(3)} by ${l.law}`).join(", ")} nats per token, each of its own corpus`);
  output.line("");
  const used = step.parts.filter((part) => part.seconds > 0);
  output.verbatim(tableLines(["part of a step", "seconds", "share", "formula"], used.map((p) => [p.name, p.seconds.toPrecision(3), `${((100 * p.seconds) / step.seconds).toFixed(1)} %`, pc.dim(p.formula)]), [1, 2]));
  output.line("");
  const fullest = memory.stages.reduce((a, b) => (b.bytes > a.bytes ? b : a));
  const stored = fullest.parts.filter((part) => part.bytes > 0);
  output.verbatim(tableLines([`memory of stage ${fullest.stage}`, "GiB", "formula"], stored.map((p) => [p.name, (p.bytes / 2 ** 30).toFixed(2), pc.dim(p.formula)]), [1]));
  output.line("");
  output.verbatim(tableLines(["factor", "value", "unit", "source"], cost.factors.map((f) => [f.name + (f.assumed ? " (assumed)" : ""), number(f.value), f.unit, pc.dim(f.source)]), [1]));
}

/** Rows of a spreadsheet: every part of step, memory and chain of factors. */
function csvOf({ step, memory, cost }: RunEstimate): string {
  const row = (group: string, name: string, value: number, unit: string, low: number | "", high: number | "", source: string) => ({ group, name, value, unit, low, high, source });
  const totals = [
    row("total", "step", step.seconds, "s", step.interval[0], step.interval[1], "sum of parts"),
    row("total", "peak memory", memory.peakBytes, "bytes", "", "", "fullest stage"),
    ...(["days", "usd", "gpuHours", "mwh", "tCo2e"] as const).map((name) => row("total", name, cost[name].value, name, cost[name].low, cost[name].high, "product of factors")),
  ];
  return writeCsv([
    ...totals,
    ...step.parts.map((p) => row("step", p.name, p.seconds, "s", "", "", p.source)),
    ...memory.stages.flatMap((s) => s.parts.map((p) => row(`memory of stage ${s.stage}`, p.name, p.bytes, "bytes", "", "", p.formula))),
    ...cost.factors.map((f) => row("factor", f.name, f.value, f.unit, "", "", f.source)),
  ]);
}

export function addCost(program: Command): void {
  const command = program
    .command("cost")
    .description("what a training run will cost on a cluster: step, memory, days, dollars, carbon, with intervals")
    .argument("[what]", "a model (flm-101b, llama-2-70b, 48x5120 ...); paper: FLM-101B's arithmetic; savings: claims of growth at equal loss; growth: the law of growth calibrated on --report", "paper")
    .option("--tokens <n>", "such as 300B (default: those of the model, or 20 a parameter)");
  addClusterOptions(command)
    .option("--measured-step <seconds>", "calibrate with the measured step of the given layout")
    .option("--grid <country>", "CHN, USA, FRA, DEU, SWE, IND, GBR or WORLD")
    .option("--pue <pue>", "facility energy over device energy, or unknown, aws, gcp")
    .option("--report <file>", "growth: report.json of a reproduction")
    .option("--workings", "paper: formula and inputs of every figure")
    .action(
      action<CostOptions>(wordsAlone(async (options, { output, path }, [what = "paper"]) => {
        if (what === "paper") return paper(output, options.workings === true);
        if (what === "savings") return savings(output);
        if (what === "growth") {
          if (options.report === undefined) throw new UsageError("cost growth: --report: is missing, expected the report.json of a reproduction. Run `espalier reproduce` first.");
          return growth(output, await readReport(path(options.report)));
        }
        const found = findClusterModel(what);
        const { model } = found;
        const machine = clusterOf(options);
        const parameters = parameterBuckets(model).total;
        const tokens = options.tokens === undefined ? (found.tokens ?? 20 * parameters) : parseQuantity(options.tokens, "tokens", "--tokens");
        const globalBatchSize = options.batch ?? defaultBatchSize(model, machine.numGpus);
        const fixed = fixedLayout(options);
        const degrees = fixed.tensor !== undefined && fixed.pipeline !== undefined;
        const layout = degrees || options.measuredStep !== undefined ? wholeLayout(fixed, machine, globalBatchSize) : undefined;
        const run = estimateRun({
          model, cluster: machine, tokens, globalBatchSize, fixed, ...(options.price === undefined ? {} : { prices: pricesOf(options.price, machine.device.id) }), grid: gridOf(options.grid), pue: pueOf(options.pue),
          ...(layout ? { layout, calibration: calibrationOf(options.measuredStep, model, layout, machine) } : {}),
        });
        const losses = (["epoch", "rounded", "kaplan"] as const).map((law) => predictLoss(parameters, tokens, law));
        const warnings = losses.flatMap((loss) => loss.warnings);
        show(output, `${found.id} (${modelText(model)})`, run, losses, { tokens, gpu: machine.device.id, gpus: machine.numGpus, parameters, tflops: teraflops(model, run.layout, machine, run.step.seconds).fullAttention });
        for (const warning of warnings) output.line(pc.yellow(`warning: ${warning}`));
        if (options.csv !== undefined) await atomicWrite(path(options.csv), csvOf(run));
        if (options.svg !== undefined) await atomicWrite(path(options.svg), estimatePicture(`${found.id} on ${machine.numGpus} ${machine.device.id}`, run));
        output.result("cost", { model: found.id, parameters, tokens, cluster: machine, ...run, losses, warnings });
      })),
    );
}
