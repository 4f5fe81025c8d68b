/** Knowledge tests from a directory of data files, each checked against its manifest. */

import { DataError } from "@espalier/core";
import { readExam, ceval, cmmlu } from "../knowledge/chineseExams/task.ts";
import type { KnowledgeEntry } from "../knowledge/table.ts";
import type { Harness, KnowledgeSet } from "../knowledge/task.ts";
import { openDataDirectory } from "./dataFiles.ts";

/**
 * The sets of an entry. A file must have the digest that the `manifest.json` of the directory states for it, or, where
 * the manifest is silent, the one this project was checked with. What was read stands in `files` of each set.
 *
 * @throws {FileError} when a file is missing
 * @throws {DataError} when a digest differs or a row is malformed
 */
export async function loadKnowledge(dataDirectory: string, entry: KnowledgeEntry, harness: Harness = "v0.4"): Promise<KnowledgeSet[]> {
  const data = await openDataDirectory(dataDirectory);
  const docs = await data.read(entry.docs);
  const fewshot = entry.fewshot && (await data.read(entry.fewshot));
  const beside = await Promise.all((entry.beside ?? []).map((file) => data.read(file)));
  const files = [docs, ...(fewshot ? [fewshot] : []), ...beside].map(({ read }) => read);
  try {
    return entry.sets(docs.text, fewshot?.text, harness, beside.map(({ text }) => text)).map((set) => ({ ...set, files }));
  } catch (error) {
    // Readers see text alone; a person needs to know in which file.
    throw error instanceof DataError ? new DataError(`${files.map(({ path }) => path).join(", ")}: ${error.message}`, { cause: error }) : error;
  }
}

/** Subjects of C-Eval or CMMLU from CSV files `{name}_val.csv` and `{name}_dev.csv` that the user puts there. */
export async function loadExam(dataDirectory: string, exam: "ceval" | "cmmlu", subject: string, title: string): Promise<KnowledgeSet> {
  const data = await openDataDirectory(dataDirectory);
  const split = exam === "ceval" ? "val" : "test";
  const [docs, dev] = await Promise.all([split, "dev"].map((part) => data.read({ path: `${exam}/${subject}_${part}.csv` })));
  return { task: (exam === "ceval" ? ceval : cmmlu)(subject, title), docs: readExam(docs!.text), fewshotDocs: readExam(dev!.text), files: [docs!.read, dev!.read] };
}
