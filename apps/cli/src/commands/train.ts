import { deviceExecutor } from "@espalier/kernels";
import { type PackingName, packingSchema, type Precision, precisionSchema } from "@espalier/spec/plan";
import { corpusData, type SourcePacking, train, trainingMemory, trainingPacking } from "@espalier/trainer";
import { openCorpusOnDisk } from "@espalier/tokenizer/node";
import { type Command, Option } from "commander";
import { action } from "../command.ts";
import { deviceOption, positiveInteger, type WithDevice } from "../options.ts";
import { logitText } from "../report/run.ts";
import { commandText, thisCommand } from "../terminal/commandText.ts";
import { clock, placeText } from "../terminal/format.ts";
import { placeOf, planOf, prepareExample } from "../train/place.ts";
import { UsageError } from "../usage.ts";

interface TrainOptions extends WithDevice {
  plan?: string;
  data?: string;
  out?: string;
  example?: true;
  threads?: number;
  fork?: string;
  forkAt?: number;
  precision?: Precision;
  parameters?: Precision;
  documentMasks?: true;
  packing?: PackingName;
  json?: boolean;
}

export function addTrain(program: Command): void {
  program
    .command("train")
    .description("one training plan, growth included")
    .option("--plan <file>", "training plan as JSON: stages, growth between them, optimiser (default: the run's own where it was begun, else a small model that is grown once)")
    .option("--data <dir>", "directory written by `espalier tokenize`")
    .option("--out <dir>", "run directory to write; an interrupted run goes on from there (default: run)")
    .option("--example", "train on little stories made for it: text, corpus, plan and run are written below --out (default: example)")
    .addOption(
      new Option(
        "--precision <name>",
        "fp32, or bf16: factors of matrix products are rounded to bf16, on cuda activations too; weights and sums stay fp32 (default: the plan's, else fp32)",
      ).choices(precisionSchema.options),
    )
    .addOption(
      new Option("--parameters <name>", "fp32, or bf16: updates are rounded to bf16 stochastically, by the plan's seed; moments stay fp32 (default: the plan's, else fp32)").choices(
        precisionSchema.options,
      ),
    )
    .option("--fork <run>", "begin as a copy of another run, as far as its plan and this one agree: one base, several ways on")
    .option("--fork-at <step>", "fork at this step or before it (default: as late as the plans agree)", positiveInteger)
    .option("--document-masks", "tokens attend within their own document only; recorded in the run's plan (default: as the plan says, else off)")
    .addOption(
      new Option("--packing <name>", "bestFit: sequences of whole documents, packed by best fit, padding not trained on; recorded in the run's plan (default: the plan's, else documents end to end)").choices(
        packingSchema.options,
      ),
    )
    .addOption(deviceOption())
    .option("--threads <n>", "threads of the CPU (default: all cores); digests do not depend on it", positiveInteger)
    .action(
      action<TrainOptions>(
        async (options, context) => {
          const { output, path, signal } = context;
          if (options.forkAt !== undefined && options.fork === undefined) {
            throw new UsageError("--fork-at: given without --fork, expected the run to fork. Name it.");
          }
          if (options.example && (options.plan ?? options.data) !== undefined) throw new UsageError("--example: with --plan or --data, expected it alone: it brings both. Leave it out.");
          if (options.fork !== undefined && options.plan === undefined) throw new UsageError("--fork: without --plan, expected the plan of the way that this run takes. Name it.");
          const place = options.example ? await prepareExample(options.out ?? "example", context) : placeOf(options, path);
          const parsed = await planOf(place, output);
          const plan = {
            ...parsed,
            ...(options.precision && { precision: options.precision }),
            ...(options.parameters && { parameterPrecision: options.parameters }),
            ...(options.documentMasks && { documentMasks: true }),
            ...(options.packing && { packing: options.packing }),
          };
          const { device, threads: numThreads } = options;
          const executor = deviceExecutor({ device, numThreads, precision: plan.precision });
          for (const { stage, peakBytes, recomputedLayers, numLayers, extraFlops } of plan.memoryLimitBytes === undefined ? [] : trainingMemory(plan, executor)) {
            output.line(`${stage}: ${(peakBytes / 2 ** 20).toFixed(1)} MiB planned; ${recomputedLayers} of ${numLayers} layers computed again, ${(extraFlops / 1e9).toFixed(2)} GFLOP more a micro-step`);
          }
          const fork = options.fork === undefined ? undefined : { run: path(options.fork), ...(options.forkAt === undefined ? {} : { atStep: options.forkAt }) };
          const corpus = await openCorpusOnDisk(place.data);
          const data = corpusData(corpus);
          for (const packing of await trainingPacking(plan, data)) {
            output.line(packingLine(packing));
            output.result("packing", packing);
          }
          const result = await train(
            { plan, data, directory: place.out, executor, ...(fork && { fork }) },
            {
              signal,
              progress: output.progress,
              onEvent: (event) => {
                if (event.kind === "fork") output.line(`forked ${event.run} at step ${event.step}`);
                if (event.kind === "growth") {
                  output.line(`step ${event.step}: grown; loss ${event.lossBefore.toFixed(4)} -> ${event.lossAfter.toFixed(4)}, ${logitText(event.logitChange)}`);
                }
              },
              onMetric: (metric) => output.result("metric", metric),
            },
          ).finally(() => corpus.close());
          const from = path(".");
          const run = placeText(from, place.out);
          output.line(`${result.steps.toLocaleString("en")} steps, ${result.tokens.toLocaleString("en")} tokens in ${clock(result.seconds)}`);
          output.line(`Validation loss: ${result.validationLoss.toFixed(4)} nats per token, ${result.bitsPerByte.toFixed(4)} bits per byte`);
          output.line(`Checkpoint: ${placeText(from, result.checkpoint)}`);
          output.line("Next:");
          output.line(`  ${commandText(["report", run])}`);
          output.line(`  ${commandText(["generate", run, options.example ? "One day Ada" : "Once upon a time"])}`);
          output.result("done", result);
        },
        thisCommand,
      ),
    );
}

const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;

function packingLine({ source, numDocuments, numRows, paddingShare, cutShare, concatenatedCutShare }: SourcePacking): string {
  return `packing ${source}: ${numDocuments} documents in ${numRows} rows, ${percent(paddingShare)} padding; ${percent(cutShare)} of the documents are cut (end to end: ${percent(concatenatedCutShare)})`;
}
