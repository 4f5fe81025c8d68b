import { join } from "node:path";
import { acquireLock } from "@espalier/core/node";
import { DEFAULT_FEWSHOT_SEED, EndpointError, type SetSize } from "@espalier/evals";
import type { Context } from "../command.ts";
import { ANSWERS, openEvaluation } from "./files.ts";
import { isAddress } from "../files.ts";
import { openEvaluated } from "./model.ts";
import type { ModelOptions } from "./modelOptions.ts";
import { type Evaluated, type RunOptions, runEvaluation, writeEvaluation } from "./run.ts";
import type { Selection } from "./select.ts";

/** Options of `espalier eval` as the command line gives them. */
export interface EvalOptions extends ModelOptions {
  tasks?: string[];
  includePath?: string[];
  sets?: string;
  items: SetSize;
  difficulty: RunOptions["difficulty"];
  seed: string;
  fewShot?: number;
  fewShotSeeds?: number[];
  limit?: number;
  harness: RunOptions["harness"];
  out?: string;
  stages?: boolean;
  json?: boolean;
}

/** Where a model lies, absolute or an address, and what result files call it. */
export interface EvaluatedPlace {
  path: string;
  name: string;
}

/**
 * Evaluates a model and, with a directory, leaves everything there.
 *
 * @throws {LockError} while another evaluation writes to the directory
 */
export async function evaluateOne(
  place: EvaluatedPlace,
  selection: Selection,
  options: EvalOptions,
  context: Context,
  directory: string | undefined,
): Promise<{ evaluated: Evaluated; written: string[] }> {
  // Two writers would interleave their samples in one log.
  const lock = directory === undefined ? undefined : acquireLock(directory);
  try {
    return await evaluateLocked(place, selection, options, context, directory);
  } finally {
    lock?.release();
  }
}

async function evaluateLocked(
  place: EvaluatedPlace,
  selection: Selection,
  options: EvalOptions,
  context: Context,
  directory: string | undefined,
): Promise<{ evaluated: Evaluated; written: string[] }> {
  const absolute = (value: string | undefined) => (value === undefined ? undefined : context.path(value));
  // An endpoint may fail in the middle of a batch, after answers that were paid for.
  const cache = options.cache ?? (isAddress(place.path) && directory !== undefined ? join(directory, ANSWERS) : undefined);
  const opened = await openEvaluated(place.path, { ...options, ...(cache !== undefined && { cache }) }, context, place.name);
  const start = performance.now();
  try {
    const run: RunOptions = {
      items: options.items,
      difficulty: options.difficulty,
      seed: options.seed,
      sets: absolute(options.sets),
      fewShot: options.fewShot,
      fewShotSeeds: options.fewShotSeeds ?? [DEFAULT_FEWSHOT_SEED],
      limit: options.limit,
      harness: options.harness,
      likelihood: opened.likelihood,
      cache: opened.cache,
      batch: opened.batch,
    };
    if (directory !== undefined) {
      const { fewShot = null, limit = null, items, difficulty, seed, fewShotSeeds, harness } = run;
      await openEvaluation(directory, {
        model: opened.place,
        tasks: options.tasks ?? [],
        ...(selection.includePaths.length > 0 && { includePaths: selection.includePaths }),
        items,
        difficulty,
        seed,
        fewShot,
        fewShotSeeds,
        limit,
        harness,
      });
    }
    const evaluated = await runEvaluation(opened.model, selection, run, context, directory).catch((error: unknown) => {
      if (!(error instanceof EndpointError)) throw error;
      const kept = directory === undefined ? "Answers are kept only with --out." : "The answers so far are kept: the same command goes on from them.";
      throw new EndpointError(error.lacks, `${error.message} ${kept}`, { cause: error });
    });
    if (directory === undefined) return { evaluated, written: [] };
    const seconds = (performance.now() - start) / 1000;
    const written = await writeEvaluation(directory, evaluated, {
      seconds,
      modelArgs: place.name,
      modelSource: opened.source,
      maxLen: opened.model.maxLen,
      seeds: run.fewShotSeeds,
      limit: run.limit,
    });
    return { evaluated, written };
  } finally {
    await opened.free();
  }
}
