import { readdir, stat } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { FileError } from "@espalier/core";
import { fileError } from "@espalier/core/node";

/** A path as the user gave it, or a file with the name that reports show instead of its path on this machine. */
export type CorpusInput = string | { path: string; name: string };

/** One file to read documents from. */
export interface CorpusFile {
  path: string;
  name: string;
  /** As stored, compressed or not. */
  bytes: number;
  /** `jsonl`: one document a line; `text`: the file is the document. */
  kind: "jsonl" | "text";
  compression: "none" | "gzip" | "zstd";
}

const COMPRESSIONS = new Map<string, CorpusFile["compression"]>([
  [".gz", "gzip"],
  [".zst", "zstd"],
]);
const JSONL = new Set([".jsonl", ".ndjson"]);
/** Taken from directories. A file named by the user itself is read as text whatever its ending. */
const TEXT = new Set([".txt", ".md", ".markdown", ".rst", ".js", ".mjs", ".cjs", ".ts", ".mts", ".cts", ".py"]);

/**
 * The files behind paths: a file is itself, a directory all readable kinds below it in the order of their names.
 * Hidden entries and `node_modules` are passed over.
 *
 * @throws {FileError} when a path is missing, or a directory holds no file of a readable kind
 */
export async function listCorpusFiles(inputs: readonly CorpusInput[]): Promise<CorpusFile[]> {
  const files: CorpusFile[] = [];
  for (const input of inputs) {
    const { path, name } = typeof input === "string" ? { path: input, name: basename(input) } : input;
    const found = await stat(path).catch((error: unknown) => {
      throw fileError("reading corpus", path, error);
    });
    if (found.isDirectory()) files.push(...(await listDirectory(path, name)));
    else files.push({ path, name, bytes: found.size, ...kindOf(path) });
  }
  return files;
}

async function listDirectory(directory: string, name: string): Promise<CorpusFile[]> {
  const files: CorpusFile[] = [];
  const walk = async (path: string, nameBelow: string): Promise<void> => {
    const entries = await readdir(path, { withFileTypes: true }).catch((error: unknown) => {
      throw fileError("reading corpus", path, error);
    });
    entries.sort((a, b) => (a.name < b.name ? -1 : 1)); // by code units: the same order on every machine
    for (const entry of entries) {
      const below = join(path, entry.name);
      if (entry.name.startsWith(".") || entry.name === "node_modules") continue;
      if (entry.isDirectory()) await walk(below, `${nameBelow}/${entry.name}`);
      else if (entry.isFile() && isKnown(entry.name)) {
        const { size } = await stat(below);
        files.push({ path: below, name: `${nameBelow}/${entry.name}`, bytes: size, ...kindOf(below) });
      }
    }
  };
  await walk(directory, name);
  if (files.length > 0) return files;
  const kinds = [...JSONL, ...TEXT].join(" ");
  throw new FileError(`corpus: ${directory} holds no file to read, expected some of ${kinds}, also with .gz or .zst. Name another directory, or files themselves.`);
}

function kindOf(path: string): Pick<CorpusFile, "kind" | "compression"> {
  const compression = COMPRESSIONS.get(extname(path)) ?? "none";
  const inner = compression === "none" ? path : path.slice(0, -extname(path).length);
  return { kind: JSONL.has(extname(inner)) ? "jsonl" : "text", compression };
}

function isKnown(path: string): boolean {
  const inner = COMPRESSIONS.has(extname(path)) ? path.slice(0, -extname(path).length) : path;
  return JSONL.has(extname(inner)) || TEXT.has(extname(inner));
}
