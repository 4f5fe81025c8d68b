import { basename } from "node:path";
import { compareSamples, type Level, levels } from "@espalier/evals";
import { type Command, Option } from "commander";
import { action } from "../command.ts";
import { addCurve } from "./curve.ts";
import { readSamples } from "./files.ts";
import { addGolden } from "./golden.ts";
import { addLeak } from "./leak.ts";
import { listTasks } from "./list.ts";
import { writeEvaluationNgrams } from "./ngrams.ts";
import { paperTables } from "./paper.ts";
import { addSymbols } from "./symbols.ts";
import { comparisonLines } from "./tables.ts";
import { selectWithFiles } from "./taskFiles.ts";
import { positiveInteger } from "../options.ts";

interface NgramOptions {
  out: string;
  tasks: string[];
  includePath?: string[];
  sets?: string;
  words: number;
  difficulty: Level[];
  seed: string;
  json?: boolean;
}

/** What belongs to an evaluation besides running it: `espalier eval curve | leak | symbols | golden | list | paper | compare | ngrams`. */
export function addEvalParts(command: Command): void {
  addCurve(command);
  addLeak(command);
  addSymbols(command);
  addGolden(command);
  command
    .command("list")
    .description("every task, its files, licence and shots")
    .action(action(async (_options, { output }) => listTasks(output)));
  command
    .command("paper")
    .description("the paper's IQ tables with intervals: which differences survive")
    .action(action(async (_options, { output }) => paperTables(output)));
  command
    .command("compare")
    .description("paired differences of two evaluated models, and which of them are real")
    .argument("<a>", "directory of `espalier eval --out`, or a sample log (.jsonl)")
    .argument("<b>", "the same of the other model")
    .action(
      action(async (_options, { output, path }, [a, b]) => {
        const comparison = compareSamples(await readSamples(path(a!)), await readSamples(path(b!)));
        const [nameA, nameB] = basename(a!) === basename(b!) ? ["A", "B"] : [basename(a!), basename(b!)];
        for (const line of comparisonLines(comparison, nameA, nameB)) output.line(line);
        const real = comparison.rows.filter((row) => row.real).length;
        output.line(
          `\n${real} of ${comparison.rows.length} differences are real (Holm's p below 0.05). shows: true difference that these items reveal with power 0.8.`,
        );
        const { firstDifferentPrompt: first, differentPrompts, onlyInA, onlyInB } = comparison;
        if (first)
          output.line(
            `${differentPrompts} items were asked differently and are left out. The first is ${first.key}, at character ${first.at}:\n  ${nameA}  ${JSON.stringify(first.a)}\n  ${nameB}  ${JSON.stringify(first.b)}`,
          );
        else output.line("No prompt differs.");
        if (onlyInA + onlyInB > 0)
          output.line(`Left out, because one side lacks them: ${onlyInA} items of ${nameA}, ${onlyInB} of ${nameB}.`);
        output.result("comparison", comparison);
      }),
    );
  command
    .command("ngrams")
    .description("the n-grams of evaluation sets, for `espalier tokenize` to keep out of training text")
    .requiredOption("--out <file>", "n-gram file to write")
    .option("--tasks <names...>", "tasks, groups, patterns or .yaml files", ["iq", "recall", "knowledge"])
    .option("--include-path <dirs...>", "directories of .yaml files whose tasks, groups and tags --tasks may name")
    .option("--sets <dir>", "directory of the data sets of knowledge tests")
    .option("--words <n>", "words of an n-gram", positiveInteger, 13)
    .option("--seed <seed>", "of IQ items", "1")
    .addOption(new Option("--difficulty <levels...>", "of IQ items").choices([...levels]).default(["tiny", "small", "paper"]))
    .action(
      action<NgramOptions>(async ({ out, tasks: names, includePath = [], sets, words, seed, difficulty }, context) => {
        await writeEvaluationNgrams(
          context.path(out),
          await selectWithFiles(names, includePath, context.path),
          { ...(sets !== undefined && { sets: context.path(sets) }), n: words, seed, levels: difficulty, asked: names },
          context,
        );
      }),
    );
}
