/** Knowledge tests from a directory of data files, each checked against its manifest. */

import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { DataError } from "@espalier/core";
import { fileError } from "@espalier/core/node";
import { readExam, ceval, cmmlu } from "../knowledge/chineseExams/task.ts";
import type { DataFile, KnowledgeEntry } from "../knowledge/table.ts";
import type { Harness, KnowledgeSet } from "../knowledge/task.ts";

/** What a `manifest.json` says of one file of a data directory. */
export interface ManifestFile {
  sha256: string;
  rows?: number;
  licence?: string;
  source?: string;
}

/**
 * The sets of an entry. A file must have the digest that the `manifest.json` of the directory states for it, or, where
 * the manifest is silent, the one this project was checked with.
 *
 * @throws {FileError} when a file is missing
 * @throws {DataError} when a digest differs or a row is malformed
 */
export async function loadKnowledge(dataDirectory: string, entry: KnowledgeEntry, harness: Harness = "v0.4"): Promise<KnowledgeSet[]> {
  const manifest = await readManifest(dataDirectory);
  const docs = await readChecked(dataDirectory, entry.docs, manifest);
  const fewshot = entry.fewshot && (await readChecked(dataDirectory, entry.fewshot, manifest));
  const beside = await Promise.all((entry.beside ?? []).map((file) => readChecked(dataDirectory, file, manifest)));
  return entry.sets(docs, fewshot, harness, beside);
}

/** Subjects of C-Eval or CMMLU from CSV files `{name}_val.csv` and `{name}_dev.csv` that the user puts there. */
export async function loadExam(dataDirectory: string, exam: "ceval" | "cmmlu", subject: string, title: string): Promise<KnowledgeSet> {
  const manifest = await readManifest(dataDirectory);
  const split = exam === "ceval" ? "val" : "test";
  const read = async (part: string) => readExam(await readChecked(dataDirectory, { path: `${exam}/${subject}_${part}.csv` }, manifest));
  return { task: (exam === "ceval" ? ceval : cmmlu)(subject, title), docs: await read(split), fewshotDocs: await read("dev") };
}

/** Digests by path; empty without a manifest. @throws {DataError} when it is not the expected JSON */
async function readManifest(dataDirectory: string): Promise<Record<string, ManifestFile>> {
  const path = join(dataDirectory, "manifest.json");
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return {};
    throw fileError("reading", path, error);
  }
  try {
    const { files } = JSON.parse(text) as { files: Record<string, ManifestFile> };
    if (typeof files !== "object" || files === null) throw new TypeError("no `files`");
    return files;
  } catch (cause) {
    throw new DataError(`loadKnowledge: ${path} is no manifest, expected {"files": {"path": {"sha256": ...}}}. Correct or remove it.`, { cause });
  }
}

async function readChecked(dataDirectory: string, { path, sha256 }: DataFile, manifest: Record<string, ManifestFile>): Promise<string> {
  const full = join(dataDirectory, path);
  const bytes = await readFile(full).catch((error: unknown) => {
    throw fileError("reading", full, error);
  });
  const expected = manifest[path]?.sha256 ?? sha256;
  const found = createHash("sha256").update(bytes).digest("hex");
  if (expected !== undefined && found !== expected) {
    throw new DataError(`loadKnowledge: ${full} has SHA-256 ${found}, expected ${expected}. Take the file that the manifest names, or state the digest of yours in ${join(dataDirectory, "manifest.json")}.`);
  }
  return bytes.toString("utf8");
}
