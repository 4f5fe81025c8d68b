import { DataError } from "@espalier/core";
import type { ReproductionReport } from "@espalier/spec/run";
import pc from "picocolors";
import { readJson } from "../files.ts";
import { quantity } from "../terminal/format.ts";
import { TOGETHER, tableLines } from "../terminal/table.ts";

/** @throws {DataError} when the file is no report of a reproduction */
export async function readReport(file: string): Promise<ReproductionReport> {
  const report = (await readJson(file, "a report")) as Partial<ReproductionReport> | null;
  if (report?.format !== "espalier-report-1" || !Array.isArray(report.arms)) throw new DataError(`${file}: is no report of a reproduction, expected format espalier-report-1. Name its report.json.`);
  return report as ReproductionReport;
}

/** What the experiment found, in sentences: the end of `espalier reproduce`. */
export function findingLines({ headline, caveat, comparisons }: Pick<ReproductionReport, "headline" | "caveat" | "comparisons">): string[] {
  return [pc.bold(headline), caveat, ...comparisons.map(({ name, sentence }) => `${pc.bold(name)}: ${sentence}`)];
}

/** A finished reproduction in lines for a terminal; pilots are counted, not listed. */
export function reproductionLines(report: ReproductionReport): string[] {
  const { arms, machine, corpus, claims, cost } = report;
  const shown = arms.filter(({ role }) => role !== "pilot");
  const numPilots = arms.length - shown.length;
  const rows = shown.map((arm) => [
    arm.id.replace(/\/seed-\d+$/, ""), String(arm.seed), arm.stages.map(({ model }) => `L${model.numLayers}${TOGETHER}C${model.residualDim}`).join(`${TOGETHER}→ `), quantity(arm.tokens, "").trim(), arm.flops.toExponential(1).replace("+", ""), arm.seconds.toFixed(1), arm.finalLoss.toFixed(4), arm.bitsPerByte.toFixed(4),
  ]);
  const verdicts = [...new Set(claims.map(({ verdict }) => verdict))].map((verdict) => `${claims.filter((claim) => claim.verdict === verdict).length} ${verdict}`);
  return [
    ...findingLines(report),
    "",
    ...tableLines(["run", "seed", "shapes", "tokens", "FLOPs", "seconds", "loss", "bits/byte"], rows, [1, 3, 4, 5, 6, 7]),
    `${numPilots} ${numPilots === 1 ? "pilot" : "pilots"} besides. Seconds of a thread; loss in nats per token.`,
    "",
    `claims    ${claims.length} of the paper: ${verdicts.join(", ")}`,
    `corpus    ${corpus.name}: ${quantity(corpus.trainTokens, "tokens")} of ${corpus.vocabSize}`,
    `machine   ${machine.cores} cores (${machine.cpu}), ${machine.instructionPath}; ${report.minutesTaken.toFixed(1)} minutes of ${report.minutesAsked}`,
    `cost      ${cost.kwh.toPrecision(2)} kWh, ${cost.usd.toPrecision(2)} USD, ${cost.kgCo2e.toPrecision(2)} kg CO2e`,
  ];
}
