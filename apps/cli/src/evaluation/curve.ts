import { atomicWrite } from "@espalier/core/node";
import { curvePicture, difficultyCurve, difficultyGrid, gridPicture, type CurveScoring, type Level, tasksNamed } from "@espalier/evals";
import { type Command, Option } from "commander";
import { action } from "../command.ts";
import { positiveInteger } from "../options.ts";
import { tableLines } from "../terminal/table.ts";
import { expectScored, openEvaluated } from "./model.ts";
import { type ModelOptions, resumeWith, withModelOptions } from "./modelOptions.ts";
import { percent } from "./tables.ts";
import { usage, UsageError } from "../usage.ts";

interface CurveOptions extends ModelOptions {
  over: string;
  and?: string;
  scoring: CurveScoring;
  difficulty: "tiny" | "small" | "paper" | "large";
  items: number;
  seed: string;
  svg?: string;
  json?: boolean;
}

interface Axis {
  knob: string;
  values: (string | number)[];
}

/** `length=2,4,8` */
function axisOf(text: string): Axis {
  const [, knob, values] = /^(\w+)=(\S+)$/.exec(text) ?? [];
  if (knob === undefined)
    throw new UsageError(`eval curve: found "${text}", expected a knob and its values such as length=2,4,8.`);
  return { knob, values: values!.split(",").map((value) => (/^\d+(\.\d+)?$/.test(value) ? Number(value) : value)) };
}

/** `espalier eval curve`: accuracy of one IQ test against its difficulty. */
export function addCurve(command: Command): void {
  const curve = command
    .command("curve")
    .description("accuracy of one IQ test against a knob of its difficulty, or two")
    .argument("<model>", "as `espalier eval` takes it")
    .argument("<task>", "an IQ test of `espalier eval list`")
    .requiredOption("--over <knob=values>", "such as length=2,4,8,16; level=tiny,small,paper for whole levels")
    .option("--and <knob=values>", "a second knob: every pair is measured")
    .addOption(
      new Option("--scoring <how>", "what counts as right; of procedures also steps")
        .choices(["exact match", "likelihood", "likelihood per character", "prefix accuracy", "sequential match", "final match"])
        .default("exact match"),
    )
    .addOption(
      new Option("--difficulty <level>", "of all other knobs").choices(["tiny", "small", "paper", "large"]).default("tiny"),
    )
    .option("--items <n>", "of each point", positiveInteger, 100)
    .option("--seed <seed>", "of the items", "1")
    .option("--svg <file>", "picture to write");
  withModelOptions(curve).action(
      action<CurveOptions>(async (options, { output, path, signal }, [place, name]) => {
        const [task] = usage(() => tasksNamed([name!]));
        const axes = [options.over, ...(options.and === undefined ? [] : [options.and])].map(axisOf);
        for (const { knob, values } of axes) for (const value of values) usage(() => task!.chance(knob === "level" ? (value as Level) : { [knob]: value })); // refuses what the task does not have
        if (options.scoring.startsWith("likelihood")) expectScored("curve", place!, options);
        const opened = await openEvaluated(place!, options, { output, path, signal });
        try {
          const shared = {
            task: task!,
            scoring: options.scoring,
            level: options.difficulty,
            items: options.items,
            seed: options.seed,
            cache: opened.cache,
            batchItems: opened.batch,
            progress: output.progress,
            signal,
          };
          const cell = ({ accuracy, interval }: { accuracy: number; interval: readonly [number, number] }) =>
            `${percent(accuracy)} (${(100 * interval[0]).toFixed(0)} to ${(100 * interval[1]).toFixed(0)})`;
          const [x, y] = axes;
          let svg: string;
          if (y === undefined) {
            const curve = await difficultyCurve(opened.model, { ...shared, axis: x! });
            output.verbatim(tableLines(
              [x!.knob, "right (95 %)", "chance", "items"],
              curve.points.map((point) => [String(point.value), cell(point), percent(point.chance), String(point.items)]),
              [0, 2, 3],
            ));
            if (curve.halfway !== undefined)
              output.line(`Halfway between chance and all right at ${x!.knob} ${curve.halfway.toPrecision(3)}.`);
            output.result("curve", curve);
            svg = curvePicture([curve]);
          } else {
            const grid = await difficultyGrid(opened.model, { ...shared, x: x!, y });
            output.verbatim(tableLines(
              [`${y.knob} \\ ${x!.knob}`, ...x!.values.map(String)],
              grid.cells.map((row, i) => [String(y.values[i]), ...row.map(cell)]),
            ));
            output.result("grid", grid);
            svg = gridPicture(grid);
          }
          if (options.svg === undefined) return;
          await atomicWrite(path(options.svg), svg);
          output.line(`Picture: ${path(options.svg)}`);
        } finally {
          await opened.free();
        }
      }, resumeWith),
    );
}
