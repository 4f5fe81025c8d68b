import { existsSync, readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { ConfigError } from "@espalier/core";
import type { Command } from "commander";
import { action } from "../command.ts";
import { readReport, reproductionLines } from "../report/reproduction.ts";
import { commandText } from "../terminal/commandText.ts";
import { placeText } from "../terminal/format.ts";
import { runLines, summarizeRun } from "../report/run.ts";

export function addReport(program: Command): void {
  program
    .command("report")
    .description("what a directory of `train` or `reproduce` holds: stages, growths, losses, speed, cost, files; nothing is run")
    .argument("<dir>", "run or reproduction, finished or not")
    .action(
      action<{ json?: boolean }>(async (_options, { output, path }, [dir]) => {
        const directory = path(dir!);
        const from = path(".");
        if (existsSync(join(directory, "report.json"))) {
          const report = await readReport(join(directory, "report.json"));
          for (const line of reproductionLines(report)) output.line(line);
          output.line(`report    ${placeText(from, join(directory, "report.html"))} opens in a browser. To serve it:`);
          output.line(`  ${commandText(["serve", placeText(from, directory)])}`);
          return output.result("reproduction", report);
        }
        if (existsSync(join(directory, "run.json"))) {
          const summary = await summarizeRun(directory);
          for (const line of runLines(directory, summary, from)) output.line(line);
          return output.result("run", summary);
        }
        const runs = existsSync(join(directory, "runs")) ? runsBelow(join(directory, "runs")) : [];
        if (runs.length === 0) {
          const found = existsSync(directory) ? "holds no report.json, no run.json and no runs" : "does not exist";
          throw new ConfigError(`${directory}: ${found}, expected a directory written by \`espalier train\` or \`espalier reproduce\`. Check the path.`);
        }
        output.line(`${directory} has no report yet: \`espalier reproduce --out ${dir}\` goes on with it. Its runs:`);
        for (const run of runs) {
          const summary = await summarizeRun(run);
          const loss = summary.stages.findLast(({ trainLoss }) => trainLoss !== undefined)?.trainLoss;
          output.line(`${summary.state === "done" ? "done" : `${Math.floor((100 * summary.step) / summary.totalSteps)} %`.padStart(4)}  ${relative(directory, run)}${loss === undefined ? "" : `  loss ${loss.toFixed(4)}`}`);
          output.result("run", summary);
        }
      }),
    );
}

/** Directories with a `run.json`, at any depth, by name. */
function runsBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name === "run.json")
    .map((entry) => entry.parentPath)
    .sort();
}
