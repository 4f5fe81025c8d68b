import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { atomicWrite } from "@espalier/core/node";
import type { RunAbout } from "../results/about.ts";
import { harnessPaths, harnessResults, harnessSamples } from "../results/harness.ts";
import { inspectLogs, inspectPath } from "../results/inspect.ts";
import type { AnyEvaluation } from "../results/reported.ts";

/** Paths of the files of one evaluation. */
export interface WrittenResults {
  results: string;
  samples: string[];
  inspect: string[];
}

/**
 * Writes an evaluation into a directory: `MODEL/results_DATE.json` and `MODEL/samples_TASK_DATE.jsonl` as
 * lm-evaluation-harness does, and `inspect/*.json`, a log a task, for Inspect's viewer.
 *
 * @throws {FileError} when the disk refuses
 */
export async function writeResults(directory: string, evaluation: AnyEvaluation, about: RunAbout): Promise<WrittenResults> {
  const paths = harnessPaths(evaluation.model, about.date);
  const written: WrittenResults = { results: join(directory, paths.results), samples: [], inspect: [] };
  const write = async (path: string, text: Parameters<typeof atomicWrite>[1]): Promise<string> => {
    await mkdir(dirname(path), { recursive: true });
    await atomicWrite(path, text);
    return path;
  };
  await write(written.results, `${JSON.stringify(await harnessResults(evaluation, about), undefined, 2)}\n`);
  for (const [task, lines] of await harnessSamples(evaluation, about)) {
    const text = async (put: (chunk: Uint8Array) => Promise<void>) => {
      for (const line of lines) await put(Buffer.from(`${line}\n`));
    };
    written.samples.push(await write(join(directory, paths.samples(task)), text));
  }
  for (const { task, id, log } of await inspectLogs(evaluation, about)) {
    written.inspect.push(await write(join(directory, "inspect", inspectPath(task, id, about.date)), `${JSON.stringify(log)}\n`));
  }
  return written;
}
