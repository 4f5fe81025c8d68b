import { join } from "node:path";
import { repeatedSpans, type RepeatedSpanOptions } from "../../clean/repeatedSpans.ts";
import { CORPUS_FILES } from "../manifest.ts";
import { DUPLICATE } from "../pipeline/state.ts";
import { passOver, stateOf } from "../prepare/pass.ts";
import type { Work } from "../prepare/work.ts";
import { isRepeatedOf, writeRepeated } from "./repeatedFile.ts";
import { SpanFinder } from "./spanFinder.ts";

/** How repeated spans are looked for in a corpus. */
export interface RepeatedSpanSearch extends RepeatedSpanOptions {
  /** Of the table of spans; more takes fewer passes over what was put on disk. Default 256 MiB. */
  memoryBytes?: number;
}

/**
 * A pass over the corpus that finds the sentences of spans which came up before, in documents that no rule drops and that
 * are no copies; nothing when an interrupted call has found them.
 *
 * @returns path of the file that says where they are
 * @throws what a pass throws
 */
export async function findRepeated(work: Work, search: RepeatedSpanSearch): Promise<string> {
  const { directory, digest, fileSystem, validationShare } = work;
  const path = join(directory, CORPUS_FILES.repeated);
  if (await isRepeatedOf(path, digest)) return path;
  const finder = spanFinder(directory, search);
  try {
    const state = stateOf(work, { below: validationShare });
    for await (const { treated, decisions } of passOver(work, "find repeated spans", state, undefined, { spans: "hash" })) {
      const { hashes, ends, documents } = treated.spans!;
      for (const [i, decision] of decisions.entries()) {
        if (decision < DUPLICATE) finder.add([treated.file, treated.index, documents[i]!], hashes.subarray(i === 0 ? 0 : ends[i - 1]!, ends[i]!));
      }
    }
    await writeRepeated(path, finder.repeated(), digest, fileSystem);
  } finally {
    finder.close();
  }
  return path;
}

/** @throws {ConfigError} when a number is out of range */
export function spanFinder(directory: string, { memoryBytes, ...options }: RepeatedSpanSearch): SpanFinder {
  repeatedSpans(options); // refuses them
  return new SpanFinder({ directory, sentences: options.sentences ?? 3, ...(memoryBytes !== undefined && { memoryBytes }) });
}
