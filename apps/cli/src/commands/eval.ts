import { evaluate, type SetSize, tasks, tasksNamed } from "@espalier/evals";
import { type Command, Option } from "commander";
import pc from "picocolors";
import { action } from "../command.ts";
import { openModel } from "../model.ts";
import { deviceOption, type WithDevice } from "../options.ts";

interface EvalOptions extends WithDevice {
  data?: string;
  tasks?: string[];
  items: string;
  difficulty: "tiny" | "small" | "paper" | "large";
  seed: string;
  json?: boolean;
}

const share = (value: number) => `${(100 * value).toFixed(1)} %`.padStart(7);

export function addEval(program: Command): void {
  program
    .command("eval")
    .description("IQ tests of a checkpoint, with intervals and chance")
    .argument("<checkpoint>", "checkpoint directory of a run, or a Hugging Face directory")
    .option("--data <dir>", "directory written by `espalier tokenize`, for the tokeniser of a checkpoint")
    .option("--tasks <ids...>", `some of ${tasks.map((task) => task.id).join(", ")}`)
    .option("--items <n>", "items per task: a number, quick, paper or large", "quick")
    .addOption(new Option("--difficulty <level>").choices(["tiny", "small", "paper", "large"]).default("tiny"))
    .addOption(deviceOption())
    .option("--seed <seed>", "of the items; any text but a training seed", "1")
    .action(
      action<EvalOptions>(async (options, { output, path, signal }, [checkpoint]) => {
        const model = await openModel(path(checkpoint!), options.data === undefined ? undefined : path(options.data), options.device);
        try {
          const items: SetSize = /^\d+$/.test(options.items) ? Number(options.items) : (options.items as SetSize);
          const result = await evaluate(model, {
            tasks: options.tasks ? tasksNamed(options.tasks) : tasks,
            items,
            difficulty: options.difficulty,
            seed: options.seed,
            progress: output.progress,
            signal,
          });
          for (const task of result.tasks) {
            for (const { scoring, accuracy, interval, chance, atFloor } of task.scores) {
              if (scoring === "likelihood per character") continue;
              const text = `${task.task.padEnd(22)} ${scoring.padEnd(12)} ${share(accuracy)}  [${share(interval[0])}, ${share(interval[1])}]  chance ${share(chance)}`;
              output.line(atFloor ? pc.dim(`${text}  at floor`) : text);
            }
          }
          output.result("evaluation", result);
        } finally {
          model.free();
        }
      }),
    );
}
