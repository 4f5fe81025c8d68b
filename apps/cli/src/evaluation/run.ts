import { rm } from "node:fs/promises";
import { join } from "node:path";
import { ConfigError } from "@espalier/core";
import {
  type Evaluation,
  type RequestCache,
  evaluate,
  evaluateFewshotSeeds,
  evaluateKnowledge,
  type KnowledgeEvaluation,
  type KnowledgeGroup,
  type KnowledgeEntry,
  type KnowledgeSet,
  mmluGroups,
  type Sample,
  type SeedScore,
  type SetSize,
  type KnowledgeSample,
} from "@espalier/evals";
import {
  loadKnowledge,
  openKnowledgeLog,
  openSampleLog,
  type SampleLog,
  writeResults,
} from "@espalier/evals/node";
import type { LanguageModel } from "@espalier/spec/languageModel";
import type { Context } from "../command.ts";
import { LOGS } from "./files.ts";
import type { Selection } from "./select.ts";
import { expectSets, loadTaskFiles, needingData } from "./taskFiles.ts";

export interface RunOptions {
  items: SetSize;
  difficulty: "tiny" | "small" | "paper" | "large";
  seed: string;
  /** Directory of data sets, for knowledge tests. */
  sets?: string;
  fewShot?: number;
  fewShotSeeds: readonly number[];
  limit?: number;
  harness: "v0.4" | "v0.3";
  /** False for models that only generate. */
  likelihood: boolean;
  /** Answers of earlier evaluations of the same model. */
  cache?: RequestCache;
  /** Items or documents between two writes of samples. */
  batch?: number;
}

export interface Evaluated {
  iq?: Evaluation;
  /** One a few-shot seed. */
  knowledge: readonly KnowledgeEvaluation[];
  /** What several few-shot seeds say together. */
  overSeeds?: readonly SeedScore[];
}

/** The sets of a selection, with the shots of the published form where the user says nothing, and the tables over several. */
async function knowledgeSets(
  selection: Selection,
  { sets, harness, fewShot }: RunOptions,
): Promise<{ sets: KnowledgeSet[]; groups: KnowledgeGroup[] }> {
  const { knowledge } = selection;
  if (needingData(selection).length === 0) return { sets: [], groups: [] };
  expectSets("eval", selection, sets);
  const listed = await Promise.all(
    knowledge.map(async (entry) =>
      (await loadKnowledge(sets, entry, harness)).map((set) => withShots(set, fewShot ?? entry.shots)),
    ),
  );
  const read = await loadTaskFiles(selection, sets, { harness, ...(fewShot !== undefined && { numFewshot: fewShot }) });
  const own = read.flatMap((file) => file.sets.map((set) => (fewShot === undefined ? set : withShots(set, fewShot))));
  const names = [...listed.flat(), ...own].map(({ task }) => task.name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined)
    throw new ConfigError(`eval: --tasks asks for ${twice} more than once, but samples are kept by name. Leave one out, or rename the task in its file.`);
  return { sets: [...listed.flat(), ...own], groups: [...groupsOf(knowledge, listed), ...read.flatMap(({ groups }) => groups)] };
}

/** MMLU's groups, every other entry of several sets, and the subtasks of BIG-Bench Hard: those of which two or more are asked. */
function groupsOf(entries: readonly KnowledgeEntry[], listed: readonly (readonly KnowledgeSet[])[]): KnowledgeGroup[] {
  const named = (name: string, sets: readonly KnowledgeSet[]) => ({ name, tasks: sets.map(({ task }) => task.name) });
  const asked = new Set(listed.flat().map(({ task }) => task.name));
  return [
    ...mmluGroups,
    ...entries.flatMap(({ name }, i) => (name === "mmlu" ? [] : [named(name, listed[i]!)])),
    named("bbh", listed.filter((_, i) => entries[i]!.name.startsWith("bbh_")).flat()),
  ].filter(({ tasks }) => tasks.filter((task) => asked.has(task)).length > 1);
}

const withShots = (set: KnowledgeSet, shots: number): KnowledgeSet =>
  set.task.numFewshot === 0 ? set : { ...set, task: { ...set.task, numFewshot: shots } };

/**
 * Evaluates a model. With `directory`, samples go to append-only logs, from which an interrupted evaluation goes on.
 *
 * @throws {CancelledError} when stopped; the logs keep what was answered
 */
export async function runEvaluation(
  model: LanguageModel,
  selection: Selection,
  options: RunOptions,
  { output, signal }: Pick<Context, "output" | "signal">,
  directory?: string,
): Promise<Evaluated> {
  const { sets, groups } = await knowledgeSets(selection, options);
  if (!options.likelihood) {
    const scored = sets.filter(({ task }) => task.outputType !== "generate_until").map(({ task }) => task.name);
    if (scored.length > 0)
      throw new ConfigError(
        `eval: ${scored.join(", ")} is scored by log-likelihoods, which this model does not give. Leave it out, or use an endpoint with echo and logprobs.`,
      );
  }
  const evaluated: Evaluated = { knowledge: [] };
  if (selection.iq.length > 0) {
    const { items, difficulty, seed, likelihood, cache, batch: batchItems } = options;
    evaluated.iq = await logged<Sample, Evaluation>(directory && openSampleLog(join(directory, LOGS[0])), (log) =>
      evaluate(model, {
        tasks: selection.iq,
        items,
        difficulty,
        seed,
        likelihood,
        cache,
        batchItems,
        progress: output.progress,
        signal,
        ...log,
      }),
    );
  }
  if (sets.length > 0) {
    await logged<KnowledgeSample, void>(directory && openKnowledgeLog(join(directory, LOGS[1])), async (log) => {
      const { fewShotSeeds: seeds, limit, cache, batch: batchDocuments } = options;
      const shared = { groups, limit, cache, batchDocuments, progress: output.progress, signal, ...log };
      if (seeds.length === 1) evaluated.knowledge = [await evaluateKnowledge(model, sets, { ...shared, seed: seeds[0] })];
      else {
        const { evaluations, scores } = await evaluateFewshotSeeds(model, sets, { ...shared, seeds });
        evaluated.knowledge = evaluations;
        evaluated.overSeeds = scores;
      }
    });
  }
  return evaluated;
}

async function logged<S, T>(
  opening: Promise<SampleLog<S>> | "" | undefined,
  body: (log: { done?: ReadonlyMap<string, S>; onSample?: (sample: S) => Promise<void> }) => Promise<T>,
): Promise<T> {
  if (!opening) return await body({});
  const log = await opening;
  try {
    return await body({ done: log.done, onSample: log.append });
  } finally {
    await log.close();
  }
}

/** Result files in the forms of other tools, in `results/` below the directory; those of an earlier end are replaced. */
export async function writeEvaluation(
  directory: string,
  { iq, knowledge }: Evaluated,
  about: {
    seconds: number;
    modelArgs: string;
    modelSource: string;
    maxLen: number;
    seeds: readonly number[];
    limit?: number;
  },
): Promise<string[]> {
  const results = join(directory, "results");
  await rm(results, { recursive: true, force: true });
  const date = new Date();
  const shared = {
    date,
    seconds: about.seconds,
    modelArgs: about.modelArgs,
    modelSource: about.modelSource,
    maxLen: about.maxLen,
    limit: about.limit ?? null,
  };
  const written: string[] = [];
  if (iq) written.push((await writeResults(knowledge.length > 0 ? join(results, "iq") : results, iq, shared)).results);
  for (const [i, evaluation] of knowledge.entries()) {
    const seed = about.seeds[i]!;
    const place = [results, ...(iq ? ["knowledge"] : []), ...(knowledge.length > 1 ? [`seed-${seed}`] : [])];
    written.push((await writeResults(join(...place), evaluation, { ...shared, fewshotSeed: seed })).results);
  }
  return written;
}
