import { existsSync } from "node:fs";
import { join } from "node:path";
import { atomicWrite } from "@espalier/core/node";
import { parseTrainPlan, type TrainPlan } from "@espalier/spec/plan";
import { prepareCorpus, readManifest } from "@espalier/tokenizer/node";
import { readIdentity, runPaths } from "@espalier/trainer";
import type { Context } from "../command.ts";
import { makeDirectory, readJson } from "../files.ts";
import { commandText } from "../terminal/commandText.ts";
import { placeText } from "../terminal/format.ts";
import { UsageError } from "../usage.ts";
import { defaultPlan } from "./defaultPlan.ts";
import { stories } from "./stories.ts";

/** What a training run reads and writes; absolute paths. */
export interface TrainPlace {
  /** Absent: the run's own plan, or the default one. */
  plan?: string;
  data: string;
  out: string;
}

interface Named {
  plan?: string;
  data?: string;
  out?: string;
}

/** @throws {UsageError} without data, with what to do next */
export function placeOf({ plan, data, out = "run" }: Named, path: Context["path"]): TrainPlace {
  if (data === undefined) {
    throw new UsageError(
      "train: --data is missing, expected a directory written by `espalier tokenize TEXT --out DIR`. To see a run first: espalier train --example",
    );
  }
  return { ...(plan !== undefined && { plan: path(plan) }), data: path(data), out: path(out) };
}

const STORIES = 4000;
const VOCABULARY = 512;

/**
 * Writes text, corpus and plan of the example, unless they are there, and says how the same is done by hand.
 *
 * @param named directory as the user named it
 */
export async function prepareExample(named: string, { output, path, signal }: Context): Promise<TrainPlace> {
  const directory = path(named);
  const [text, data, plan, out] = ["stories.jsonl", "data", "plan.json", "run"].map((name) => join(directory, name)) as [string, string, string, string];
  const shown = (file: string) => placeText(path("."), file);
  await makeDirectory(directory);
  if (!existsSync(text)) await atomicWrite(text, [...stories(STORIES)].map((story) => `${JSON.stringify({ text: story })}\n`).join(""));
  const { train } = await prepareCorpus({ inputs: [text], directory: data, tokenizer: { vocabSize: VOCABULARY }, validationShare: 0.02, workers: 0, progress: output.progress, signal });
  if (!existsSync(plan)) await atomicWrite(plan, `${JSON.stringify(defaultPlan(VOCABULARY, train.numTokens), undefined, 2)}\n`);
  output.line(`${STORIES.toLocaleString("en")} little stories in ${shown(text)}. By hand, and with text of your own in its place:`);
  output.line(`  ${commandText(["tokenize", shown(text), "--out", shown(data), "--vocab", String(VOCABULARY)])}`);
  output.line(`  ${commandText(["train", "--plan", shown(plan), "--data", shown(data), "--out", shown(out)])}`);
  return { plan, data, out };
}

/** The plan that is named, else that of the run that was begun there, else the default for the corpus. */
export async function planOf({ plan: file, data, out }: TrainPlace, output: Context["output"]): Promise<TrainPlan> {
  if (file !== undefined) return parseTrainPlan(await readJson(file, "a training plan"), file);
  if (existsSync(runPaths.identity(out))) return (await readIdentity(out)).plan;
  const { tokenizer, train } = await readManifest(data);
  const plan = parseTrainPlan(defaultPlan(tokenizer.vocabSize, train.numTokens));
  const [small, grown] = plan.stages;
  output.line(`No --plan: ${small!.model.numLayers} layers, grown to ${grown!.model.numLayers}, of ${small!.model.residualDim} channels; ${small!.tokens.toLocaleString("en")} tokens each. ${runPaths.identity(out)} keeps the plan.`);
  return plan;
}
