import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { ConfigError } from "@espalier/core";
import { atomicWrite } from "@espalier/core/node";
import { type MachineProfile, planExperiment } from "@espalier/cost";
import type { Corpus, CorpusManifest } from "@espalier/tokenizer/node";
import { calibrate } from "./calibrate.ts";
import type { Clock } from "./clock.ts";
import { type ExperimentFile, parseExperimentFile } from "./experiment.ts";
import { machineFacts } from "./machine.ts";
import { proceduralText, type ReproduceHooks, type ReproduceRequest, reproductionPaths, SCALES } from "./request.ts";

/**
 * The plan of an earlier start, a plan that was given, or a new one for the minutes that are left.
 *
 * @throws {ConfigError} when a plan is of another corpus, or the minutes do not suffice
 */
export async function settlePlan(
  request: ReproduceRequest,
  { line, progress, signal }: ReproduceHooks,
  clock: Clock,
  corpus: Corpus,
  { digest, train }: CorpusManifest,
): Promise<ExperimentFile> {
  const { directory, scale, minutes, seed, plan: given } = request;
  const path = reproductionPaths.plan(directory);
  const found = existsSync(path) ? parseExperimentFile(await readFile(path, "utf8"), path) : undefined;
  const known = found ?? given;
  if (known) {
    if (known.corpusDigest !== digest) {
      throw new ConfigError(
        `plan: made for the corpus with digest ${known.corpusDigest.slice(0, 12)}, found ${digest.slice(0, 12)}. Give the same text, or make a new plan.`,
      );
    }
    if (!found) await atomicWrite(path, `${JSON.stringify(known, null, 1)}\n`);
    return known;
  }

  const { seqLen, items } = SCALES[scale];
  const calibration = await clock.measure("calibration", () =>
    calibrate({ corpusDirectory: reproductionPaths.corpus(directory), corpus, directory, seqLen, items }, progress, signal),
  );
  await atomicWrite(reproductionPaths.machine(directory), JSON.stringify(calibration.machine));
  const plan = planExperiment({
    scale,
    minutes,
    machine: calibration.machine,
    calibration: calibration.steps,
    overhead: {
      compile: clock.elapsedSeconds,
      tokenize: 0,
      evaluatePerCheckpoint: calibration.evaluateSeconds,
      startPerJob: calibration.startSeconds,
      report: 5,
    },
    seed,
    vocabSize: corpus.tokenizer.vocabSize,
    trainTokens: train.numTokens,
    seqLen,
  });
  const file: ExperimentFile = {
    format: "espalier-experiment-2",
    scale,
    minutes,
    seed,
    corpusDigest: digest,
    vocabSize: corpus.tokenizer.vocabSize,
    procedural: proceduralText(request),
    evaluation: { items, seed: 1, difficulty: "tiny" },
    engineBytes: calibration.engineBytes,
    plan,
  };
  await atomicWrite(path, `${JSON.stringify(file, null, 1)}\n`);
  const { numLayers, residualDim } = plan.target;
  line(`Target L${numLayers} C${residualDim}, ${plan.jobs.length} runs over ${counted(plan.seeds.length, "seed")} on ${counted(plan.threads, "thread")}. The minutes:`);
  for (const part of plan.parts) line(`  ${(part.seconds / 60).toFixed(1).padStart(5)}  ${part.name}`);
  for (const note of [...plan.dropped.map((what) => `Dropped to fit: ${what}.`), ...plan.notes]) line(`  ${note}`);
  return file;
}

const counted = (count: number, name: string): string => `${count} ${name}${count === 1 ? "" : "s"}`;

/** As calibrated at the first start; a plan that was given is costed with assumed power and price. */
export async function machineProfile(directory: string): Promise<MachineProfile> {
  const path = reproductionPaths.machine(directory);
  if (existsSync(path)) return JSON.parse(await readFile(path, "utf8")) as MachineProfile;
  const { roughProfile } = await import("@espalier/cost");
  const { cpu, cores } = machineFacts();
  return roughProfile({ name: cpu, cores, gflopsPerThread: 100 });
}
