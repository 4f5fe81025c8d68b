/** Files of a data directory, each checked against the manifest beside it; what was read is named by its digest. */

import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import { DataError } from "@espalier/core";
import { fileError } from "@espalier/core/node";
import type { DataFile } from "../knowledge/table.ts";
import type { ReadFile } from "../knowledge/task.ts";

/** What a `manifest.json` says of one file of a data directory. */
export interface ManifestFile {
  sha256: string;
  rows?: number;
  licence?: string;
  source?: string;
}

export interface DataDirectory {
  /**
   * The text of a file. Its digest must be the one that the manifest states, or, where the manifest is silent, that of
   * `file`; where neither says one, it is only reported.
   *
   * @throws {FileError} when the file is missing
   * @throws {DataError} when the digest differs
   */
  read(file: DataFile): Promise<{ text: string; read: ReadFile }>;
}

/** @throws {DataError} when the manifest is not the expected JSON */
export async function openDataDirectory(directory: string): Promise<DataDirectory> {
  const manifest = await readManifest(directory);
  return {
    async read({ path, sha256 }) {
      const full = isAbsolute(path) ? path : join(directory, path);
      const bytes = await readFile(full).catch((error: unknown) => {
        throw fileError("reading", full, error);
      });
      const stated = manifest.get(path);
      const expected = stated ?? sha256;
      const found = createHash("sha256").update(bytes).digest("hex");
      if (expected !== undefined && found !== expected.toLowerCase()) {
        throw new DataError(`${full} has SHA-256 ${found}, expected ${expected}. Take the file that the manifest names, or state the digest of yours in ${join(directory, "manifest.json")}.`);
      }
      return { text: bytes.toString("utf8"), read: { path, sha256: found, statedBy: stated !== undefined ? "manifest" : sha256 !== undefined ? "espalier" : "nothing" } };
    },
  };
}

/** Digests by path; empty without a manifest. */
async function readManifest(directory: string): Promise<ReadonlyMap<string, string>> {
  const path = join(directory, "manifest.json");
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return new Map();
    throw fileError("reading", path, error);
  }
  const wrong = (found: string, cause?: unknown) =>
    new DataError(`${path} is no manifest: ${found}, expected {"files": {"path": {"sha256": "64 hexadecimal digits"}}}. Correct or remove it.`, { cause });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw wrong(`it begins ${JSON.stringify(text.slice(0, 20))}`, cause);
  }
  const files = (value as { files?: unknown } | null)?.files;
  if (typeof files !== "object" || files === null || Array.isArray(files)) throw wrong(`files is ${JSON.stringify(files)?.slice(0, 60)}`);
  return new Map(
    Object.entries(files as Record<string, Partial<ManifestFile> | null>).map(([name, entry]) => {
      // A digest that cannot be compared must not pass for one that was.
      if (typeof entry?.sha256 !== "string" || !/^[0-9a-f]{64}$/i.test(entry.sha256)) throw wrong(`the sha256 of ${name} is ${JSON.stringify(entry?.sha256)}`);
      return [name, entry.sha256];
    }),
  );
}
