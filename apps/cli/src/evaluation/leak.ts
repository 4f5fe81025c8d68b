import { evaluate, isPrivateSeed, leakTest, type Scoring, type SetSize } from "@espalier/evals";
import { type Command, Option } from "commander";
import pc from "picocolors";
import { action } from "../command.ts";
import { itemCountOption } from "../options.ts";
import { tableLines } from "../terminal/table.ts";
import { expectScored, openEvaluated } from "./model.ts";
import { type ModelOptions, resumeWith, withModelOptions } from "./modelOptions.ts";
import { selectTasks } from "./select.ts";
import { percent } from "./tables.ts";
import { UsageError } from "../usage.ts";

interface LeakOptions extends ModelOptions {
  tasks: string[];
  privateSeed: string;
  seed: string;
  items: SetSize;
  difficulty: "tiny" | "small" | "paper" | "large";
  scoring: Scoring;
  json?: boolean;
}

/** `espalier eval leak`: the same IQ tests under a public and a private seed. */
export function addLeak(command: Command): void {
  const leak = command
    .command("leak")
    .description("whether a model knows the public IQ items by heart: the same tests under a public and a private seed")
    .argument("<model>", "as `espalier eval` takes it")
    .requiredOption("--private-seed <secret>", "text that is kept back; private items are never public ones")
    .option("--seed <seed>", "the public seed", "1")
    .option("--tasks <names...>", "IQ tests, groups or patterns", ["iq", "recall"])
    .option("--items <n>", "of each test and seed: a number, quick, paper or large", itemCountOption, "paper")
    .addOption(
      new Option("--difficulty <level>", "of the tests").choices(["tiny", "small", "paper", "large"]).default("tiny"),
    )
    .addOption(
      new Option("--scoring <how>", "what counts as right")
        .choices(["exact match", "likelihood", "likelihood per character"])
        .default("exact match"),
    );
  withModelOptions(leak).action(
      action<LeakOptions>(async (options, { output, path, signal }, [place]) => {
        const { iq, knowledge, files } = selectTasks(options.tasks);
        if (knowledge.length + files.length > 0)
          throw new UsageError("eval leak: only generated tests have private items. Leave knowledge tests out of --tasks.");
        const secret = isPrivateSeed(options.privateSeed) ? options.privateSeed : `private/${options.privateSeed}`;
        if (options.scoring !== "exact match") expectScored("leak", place!, options);
        const opened = await openEvaluated(place!, options, { output, path, signal });
        try {
          const shared = {
            tasks: iq,
            items: options.items,
            difficulty: options.difficulty,
            likelihood: options.scoring !== "exact match",
            cache: opened.cache,
            batchItems: opened.batch,
            progress: output.progress,
            signal,
          };
          const test = leakTest(
            await evaluate(opened.model, { ...shared, seed: options.seed }),
            await evaluate(opened.model, { ...shared, seed: secret }),
            options.scoring,
          );
          const signed = (share: number) => `${share > 0 ? "+" : ""}${(100 * share).toFixed(1)}`;
          const rows = test.tasks.map(({ task, publicAccuracy, privateAccuracy, difference, interval, adjustedPValue, shared: common }) => [
            task,
            percent(publicAccuracy),
            percent(privateAccuracy),
            signed(difference),
            interval.map(signed).join(" to "),
            adjustedPValue.toPrecision(2),
            common > 0 ? `${common} shared, left out` : "",
          ]);
          output.verbatim(tableLines(["task", "public", "private", "points", "95 %", "p (Holm)", ""], rows, [1, 2, 3, 5]));
          output.line(`\nMean difference ${signed(test.difference)} points (${test.interval.map(signed).join(" to ")}).`);
          output.line(test.leaked ? pc.red("Leaked: the model does better on public items than on private ones.") : "No leak shown.");
          output.result("leak", test);
        } finally {
          await opened.free();
        }
      }, resumeWith),
    );
}
