import { join } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import pc from "picocolors";
import { action, type Context } from "../command.ts";
import { type EvalOptions, evaluateOne } from "../evaluation/evaluateOne.ts";
import { evaluateStages } from "../evaluation/evaluateStages.ts";
import { writeSamplesPage } from "../evaluation/files.ts";
import { placeName } from "../evaluation/model.ts";
import { isAddress } from "../files.ts";
import { withModelOptions } from "../evaluation/modelOptions.ts";
import type { Evaluated } from "../evaluation/run.ts";
import { iqLines, knowledgeLines, SHOWS, unstatedLines } from "../evaluation/tables.ts";
import { selectWithFiles } from "../evaluation/taskFiles.ts";
import { itemCountOption, positive, positiveInteger } from "../options.ts";
import { addEvalParts } from "../evaluation/parts.ts";
import { thisCommand } from "../terminal/commandText.ts";

const count = (value: string): number => (value === "0" ? 0 : positiveInteger(value));
const seeds = (value: string, before: number[] = []): number[] => {
  if (!/^\d+$/.test(value)) throw new InvalidArgumentError("expected whole numbers.");
  return [...before, Number(value)];
};

export function addEval(program: Command): void {
  const command = program
    .command("eval")
    .description("IQ and knowledge tests of a model, with intervals, chance and what the set can show")
    .argument("<model>", "run, one of its checkpoints, Hugging Face directory, or address of an endpoint (http://.../v1)")
    .option("--tasks <names...>", "tasks, groups, patterns or .yaml files; `espalier eval list` shows them", [
      "iq",
      "recall",
    ])
    .option("--include-path <dirs...>", "directories of lm-evaluation-harness's .yaml files, whose tasks, groups and tags --tasks may then name")
    .option("--sets <dir>", "directory of the data sets of knowledge tests; digests are checked")
    .option("--items <n>", "items of an IQ test: a number, quick, paper or large", itemCountOption, "quick")
    .addOption(
      new Option("--difficulty <level>", "of IQ tests").choices(["tiny", "small", "paper", "large"]).default("tiny"),
    )
    .option("--seed <seed>", "of IQ items; any text but a training seed", "1")
    .option("--few-shot <n>", "examples before each question of a knowledge test (default: as published)", count)
    .option("--few-shot-seeds <seeds...>", "draw the examples anew for each seed; the spread over seeds is shown apart from the error over documents", seeds)
    .option("--limit <n>", "first documents of each knowledge test; below 1 a share", positive)
    .addOption(
      new Option("--harness <version>", "prompts of lm-evaluation-harness: present ones, or those of the paper's time")
        .choices(["v0.4", "v0.3"])
        .default("v0.4"),
    )
    .option("--out <dir>", "directory to write: samples and results; an interrupted evaluation goes on from there")
    .option("--stages", "the model is a run: evaluate each stage, and agreement before and after each growth");
  withModelOptions(command).action(
      action<EvalOptions>(
        async (options, context, [place]) => {
          const selection = await selectWithFiles(options.tasks ?? [], options.includePath ?? [], context.path);
          const directory = options.out === undefined ? undefined : context.path(options.out);
          const path = isAddress(place!) ? place! : context.path(place!);
          const model = { path, name: isAddress(place!) ? place! : placeName(place!, path) };
          if (options.stages) return await evaluateStages(model, selection, options, context, directory);
          const { evaluated, written } = await evaluateOne(model, selection, options, context, directory);
          printScores(evaluated, context);
          context.output.result("evaluation", evaluated);
          if (directory === undefined) return;
          await writeSamplesPage(directory);
          context.output.line(`\nSamples: ${join(directory, "samples.html")}. Results: ${written.join(", ")}`);
        },
        ({ out }) => `${thisCommand()}${out === undefined ? "\nIt starts anew: only --out keeps answers." : ""}`,
      ),
    );
  addEvalParts(command);
}

function printScores({ iq, knowledge, overSeeds }: Evaluated, { output }: Pick<Context, "output">): void {
  if (iq) for (const line of iqLines(iq)) output.line(line);
  if (iq && knowledge.length > 0) output.line("");
  for (const line of knowledgeLines(knowledge, overSeeds)) output.line(line);
  if (iq || knowledge.length > 0) output.line(pc.dim(SHOWS));
  for (const line of unstatedLines(knowledge)) output.line(line);
}
