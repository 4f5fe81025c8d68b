import { join } from "node:path";
import { parseExperimentFile, reproduce } from "@espalier/reproduce";
import { type Command, Option } from "commander";
import { workspace } from "#workspace";
import { action } from "../command.ts";
import { readText } from "../files.ts";
import { integer, positive } from "../options.ts";
import { findingLines } from "../report/reproduction.ts";
import { thisCommand } from "../terminal/commandText.ts";
import { placeText } from "../terminal/format.ts";

interface ReproduceOptions {
  scale: "smoke" | "default";
  minutes?: number;
  seed: number;
  corpus?: string[];
  plan?: string;
  out: string;
  json?: boolean;
}

const MINUTES = { smoke: 3, default: 10 };

export function addReproduce(program: Command): void {
  program
    .command("reproduce")
    .description("the paper at the scale of this machine: tokenise, grow and train, controls, evaluation, costs, one report")
    .addOption(new Option("--scale <scale>", "smoke: tiny, to see that everything works").choices(["smoke", "default"]).default("default"))
    .option("--minutes <minutes>", "from the first line to the written report (default: 10; smoke: 3)", positive)
    .option("--seed <n>", "of everything random", integer, 0)
    .option("--corpus <paths...>", "JSONL, text or Markdown, also .gz and .zst; directories (default: text of pinned npm packages)")
    .option("--plan <file>", "repeat the plan.json of an earlier run")
    .option("--out <dir>", "directory to write: plan, runs and report; an interrupted run goes on from there", "reproduction")
    .action(
      action<ReproduceOptions>(
        async (options, { output, signal, path }) => {
          const directory = path(options.out);
          const planFile = options.plan === undefined ? undefined : path(options.plan);
          const plan = planFile === undefined ? undefined : parseExperimentFile(await readText(planFile), planFile);
          const scale = plan?.scale ?? options.scale;
          const corpus = options.corpus ? { name: options.corpus.join(", "), inputs: options.corpus.map(path) } : await workspace.defaultCorpus();
          const report = await reproduce(
            { scale, minutes: options.minutes ?? plan?.minutes ?? MINUTES[scale], seed: plan?.seed ?? options.seed, directory, corpus, ...(plan ? { plan } : {}) },
            {
              line: output.line,
              progress: output.progress,
              signal,
              prepareNative: (progress) => workspace.prepareNative(progress, output.line),
              page: workspace.page,
            },
          );
          output.line("");
          for (const line of findingLines(report)) output.line(line);
          output.line(`\nReport: ${placeText(path("."), join(directory, "report.html"))} (${report.minutesTaken.toFixed(1)} minutes of ${report.minutesAsked})`);
          output.result("report", { directory, headline: report.headline, caveat: report.caveat, comparisons: report.comparisons });
        },
        thisCommand,
      ),
    );
}
