import type { ModelConfig } from "@espalier/spec/model";
import { numParameters } from "@espalier/spec/model";
import type { Metric } from "@espalier/spec/run";
import { listCheckpoints, readEvents, readIdentity, readMetrics, runPaths, totalSteps } from "@espalier/trainer";
import pc from "picocolors";
import { commandText } from "../terminal/commandText.ts";
import { blocks } from "../terminal/curve.ts";
import { clock, placeText, quantity } from "../terminal/format.ts";
import { tableLines } from "../terminal/table.ts";

/** One stage of a run as far as it was trained. Losses in nats per token. */
export interface StageSummary {
  name: string;
  model: ModelConfig;
  numParameters: number;
  /** Trained so far; 0 for a stage that lies ahead. */
  tokens: number;
  plannedTokens: number;
  /** Seconds of training steps. */
  seconds: number;
  flops: number;
  /** Mean over the last twentieth of the stage's steps; absent before the first. */
  trainLoss?: number;
  /** At its end, or where it was last measured. */
  validationLoss?: number;
  bitsPerByte?: number;
}

export interface GrowthSummary {
  step: number;
  stage: string;
  operators: Record<string, string>;
  lossBefore: number;
  lossAfter: number;
  /** Largest difference of logits over the largest logit. */
  logitChange: number;
}

/** What a run directory says of its run. */
export interface RunSummary {
  id: string;
  name: string;
  createdAt: string;
  build: string;
  instructionPath: string;
  /** `done`, or how far it came; whether a process works on it now is not asked. */
  state: "done" | "begun";
  step: number;
  totalSteps: number;
  tokens: number;
  flops: number;
  seconds: number;
  stages: readonly StageSummary[];
  growths: readonly GrowthSummary[];
  /** Training loss of every step. */
  losses: readonly number[];
  /** Times that it was begun or taken up again. */
  segments: number;
  rollbacks: number;
  forkedFrom?: string;
  digest?: string;
  checkpoints: readonly string[];
}

/**
 * Reads a run without touching it: also while it is trained.
 *
 * @throws {FileError} when there is no run, or its files are damaged
 */
export async function summarizeRun(directory: string): Promise<RunSummary> {
  const identity = await readIdentity(directory);
  const { plan } = identity;
  const metrics = await readMetrics(directory);
  const events = await readEvents(directory);
  const of = <K extends (typeof events)[number]["kind"]>(kind: K) => events.filter((event): event is Extract<typeof event, { kind: K }> => event.kind === kind);
  const last = metrics.at(-1);
  const done = of("done").at(-1);
  const forked = of("fork").at(-1);
  return {
    id: identity.id,
    name: plan.name,
    createdAt: identity.createdAt,
    build: identity.build,
    instructionPath: identity.instructionPath,
    state: done ? "done" : "begun",
    step: last?.step ?? 0,
    totalSteps: totalSteps(plan),
    tokens: last?.tokens ?? 0,
    flops: last?.flops ?? 0,
    seconds: last?.seconds ?? 0,
    stages: plan.stages.map(({ name, model, tokens }, i) => ({ name, model, numParameters: numParameters(model), plannedTokens: tokens, ...measured(metrics, i) })),
    growths: of("growth").map(({ step, stage, operators, lossBefore, lossAfter, logitChange }) => ({ step, stage: plan.stages[stage]!.name, operators, lossBefore, lossAfter, logitChange })),
    losses: metrics.map(({ loss }) => loss),
    segments: of("segment").length,
    rollbacks: of("rollback").length,
    ...(forked && { forkedFrom: forked.run }),
    ...(done && { digest: done.digest }),
    checkpoints: listCheckpoints(directory).map(({ path }) => path),
  };
}

function measured(metrics: readonly Metric[], stage: number): Omit<StageSummary, "name" | "model" | "numParameters" | "plannedTokens"> {
  const own = metrics.filter((metric) => metric.stage === stage);
  const before = metrics.findLast((metric) => metric.stage < stage);
  const end = own.at(-1);
  if (!end) return { tokens: 0, seconds: 0, flops: 0 };
  const tail = own.slice(-Math.max(1, Math.floor(own.length / 20)));
  const validated = own.findLast(({ validationLoss }) => validationLoss !== undefined);
  return {
    tokens: end.tokens - (before?.tokens ?? 0),
    seconds: end.seconds - (before?.seconds ?? 0),
    flops: end.flops - (before?.flops ?? 0),
    trainLoss: tail.reduce((sum, { loss }) => sum + loss, 0) / tail.length,
    ...(validated?.validationLoss !== undefined && { validationLoss: validated.validationLoss }),
    ...(validated?.bitsPerByte !== undefined && { bitsPerByte: validated.bitsPerByte }),
  };
}

/** The curve with its label and its ends fits 80 columns. */
const CURVE_WIDTH = 40;
const number = (value: number | undefined, digits: number) => (value === undefined ? "" : value.toFixed(digits));
/** `1.45e12` as `1.45 TFLOP`. */
const flopText = (flops: number): string => {
  const [unit, size] = ([["PFLOP", 1e15], ["TFLOP", 1e12], ["GFLOP", 1e9], ["MFLOP", 1e6]] as const).find(([, least]) => flops >= least) ?? ["FLOP", 1];
  return `${(flops / size).toPrecision(3)} ${unit}`;
};
const shapeText = ({ numLayers, residualDim, numKvHeads, groupSize }: ModelConfig) => `L${numLayers} C${residualDim} N${numKvHeads * groupSize}`;

/** How much logits moved, in words where they did not. */
export const logitText = (change: number): string => (change === 0 ? "logits unchanged" : `logits changed by ${change.toExponential(1)} of the largest`);

/** A run in lines for a terminal. */
export function runLines(directory: string, summary: RunSummary, from: string): string[] {
  const { step, losses, stages, growths, checkpoints, tokens, seconds } = summary;
  const place = placeText(from, directory);
  const how = summary.state === "done" ? "done" : step === 0 ? "not a step yet" : `at step ${step.toLocaleString("en")} of ${summary.totalSteps.toLocaleString("en")} (${Math.floor((100 * step) / summary.totalSteps)} %)`;
  const lines = [
    `${pc.bold(summary.name)}: ${how}${tokens > 0 ? `; ${quantity(tokens, "tokens")} in ${clock(seconds)}, ${quantity(tokens / seconds, "tokens")}/s, ${flopText(summary.flops)}, ${flopText(summary.flops / seconds)}/s` : ""}`,
    pc.dim(`${summary.id}, begun ${summary.createdAt.slice(0, 16).replace("T", " ")} UTC, ${summary.build}, ${summary.instructionPath}${summary.forkedFrom ? `, forked from ${summary.forkedFrom}` : ""}`),
  ];
  if (summary.segments > 1 || summary.rollbacks > 0) lines.push(`Taken up again ${Math.max(0, summary.segments - 1)} times${summary.rollbacks > 0 ? `, ${summary.rollbacks} checkpoints passed over as damaged` : ""}.`);
  lines.push("");
  const rows = stages.map((stage) => [
    stage.name, shapeText(stage.model), quantity(stage.numParameters, "").trim(), `${quantity(stage.tokens, "").trim()}${stage.tokens < stage.plannedTokens * 0.99 ? ` of ${quantity(stage.plannedTokens, "").trim()}` : ""}`,
    stage.seconds > 0 ? clock(stage.seconds) : "", stage.seconds > 0 ? quantity(stage.tokens / stage.seconds, "").trim() : "", number(stage.trainLoss, 4), number(stage.validationLoss, 4), number(stage.bitsPerByte, 4),
  ]);
  lines.push(...tableLines(["stage", "shape", "params", "tokens", "time", "tokens/s", "loss", "val. loss", "bits/byte"], rows, [2, 3, 4, 5, 6, 7, 8]));
  for (const growth of growths) {
    const by = Object.entries(growth.operators).map(([group, name]) => `${name} (${group})`).join(", ");
    lines.push(`step ${growth.step.toLocaleString("en")}: grown into ${growth.stage} by ${by}; loss ${growth.lossBefore.toFixed(4)} -> ${growth.lossAfter.toFixed(4)}, ${logitText(growth.logitChange)}`);
  }
  if (losses.length > 1) {
    lines.push("", `training loss, nats a token  ${losses[0]!.toFixed(2)} ${pc.green(blocks(losses, CURVE_WIDTH))} ${losses.at(-1)!.toFixed(2)}`);
    const marks = growths.map((growth) => Math.min(CURVE_WIDTH - 1, Math.floor((growth.step / losses.length) * Math.min(CURVE_WIDTH, losses.length))));
    if (marks.length > 0) lines.push(`${" ".repeat(30 + losses[0]!.toFixed(2).length)}${Array.from({ length: CURVE_WIDTH }, (_, i) => (marks.includes(i) ? "^" : " ")).join("").trimEnd()} grown`);
  }
  lines.push("", `files     ${place}/run.json, metrics.jsonl, events.jsonl, tokenizer.json`);
  const newest = checkpoints.at(-1);
  lines.push(`models    ${newest ? `${checkpoints.length} in ${placeText(from, runPaths.checkpoints(directory))}; the newest: ${placeText(from, newest)}` : "no checkpoint yet"}`);
  if (newest) lines.push("", "Next:", ...[["generate", place, "Once upon a time"], ["eval", place], ["export", place, "--out", "hf"]].map((words) => `  ${commandText(words)}`));
  return lines;
}
