import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { ConfigError } from "@espalier/core";
import { atomicWrite, fileError } from "@espalier/core/node";
import type { LoggedSample } from "@espalier/evals";
import { readSampleLog } from "@espalier/evals/node";
import { workspace } from "#workspace";
import { makeDirectory } from "../files.ts";

/** Names below the directory of `eval --out`. */
const SETTINGS = "evaluation.json";
/** Cache of an endpoint's answers. */
export const ANSWERS = "answers.jsonl";
export const LOGS = ["iq.jsonl", "knowledge.jsonl"] as const;

/**
 * Opens the directory of an evaluation: makes it, or finds in it an interrupted one of the same model and settings.
 *
 * @throws {ConfigError} when it holds answers of another evaluation
 */
export async function openEvaluation(directory: string, settings: Readonly<Record<string, unknown>>): Promise<void> {
  await makeDirectory(directory);
  const path = join(directory, SETTINGS);
  const text = `${JSON.stringify(settings, undefined, 2)}\n`;
  const found = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw fileError("reading", path, error);
  });
  if (found === text) return;
  if (await holdsAnswers(directory)) {
    throw new ConfigError(
      `${directory}: holds an evaluation with other settings (${SETTINGS}). Choose another --out, or repeat its settings to go on with it.`,
    );
  }
  await atomicWrite(path, text);
}

async function holdsAnswers(directory: string): Promise<boolean> {
  const sizes = await Promise.all(LOGS.map((name) => stat(join(directory, name)).then(({ size }) => size, () => 0)));
  return sizes.some((size) => size > 0);
}

/** All samples of a directory of `eval --out`, or of one log. @throws {ConfigError} when there are none */
export async function readSamples(path: string): Promise<LoggedSample[]> {
  if (path.endsWith(".jsonl")) return await readSampleLog(path);
  const samples = (await Promise.all(LOGS.map((name) => readSampleLog(join(path, name))))).flat();
  if (samples.length === 0)
    throw new ConfigError(`${path}: no samples, expected a directory of \`espalier eval --out\`. Check the path.`);
  return samples;
}

/** Puts the page that shows samples, of one model or of two side by side, beside them. */
export async function writeSamplesPage(directory: string): Promise<void> {
  await atomicWrite(join(directory, "samples.html"), await workspace.samplesPage());
}
