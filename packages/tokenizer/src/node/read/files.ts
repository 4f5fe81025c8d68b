import { glob, readdir, stat } from "node:fs/promises";
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
  /** `jsonl`: one document a line; `csv`, `parquet`, `warc`: a row or record; `text`: the file is the document. */
  kind: "jsonl" | "text" | "csv" | "parquet" | "warc";
  compression: "none" | "gzip" | "zstd";
  /** Of the fields of CSV, when it is not the comma. */
  separator?: number;
}

const COMPRESSIONS = new Map<string, CorpusFile["compression"]>([
  [".gz", "gzip"],
  [".zst", "zstd"],
]);
/** Endings below which records are found. C4 and others give JSONL the ending `.json`, always compressed. */
const RECORDS = new Map<string, Pick<CorpusFile, "kind" | "separator">>([
  [".jsonl", { kind: "jsonl" }],
  [".ndjson", { kind: "jsonl" }],
  [".csv", { kind: "csv" }],
  [".tsv", { kind: "csv", separator: 0x09 }],
  [".parquet", { kind: "parquet" }],
  [".warc", { kind: "warc" }],
  [".wet", { kind: "warc" }],
]);
/** Taken from directories. A file named by the user itself is read as text whatever its ending. */
const TEXT = new Set([".txt", ".md", ".markdown", ".rst", ".js", ".mjs", ".cjs", ".ts", ".mts", ".cts", ".py"]);

/**
 * The files behind paths: a file is itself, a directory all readable kinds below it in the order of their names, a
 * pattern (`data/*.jsonl.gz`, `**`, `{a,b}`) the files that it matches in the order of their paths. Hidden entries and
 * `node_modules` of directories are passed over.
 *
 * @throws {FileError} when a path is missing, a pattern matches nothing, or a directory holds no file of a readable kind
 */
export async function listCorpusFiles(inputs: readonly CorpusInput[]): Promise<CorpusFile[]> {
  const files: CorpusFile[] = [];
  for (const input of inputs) {
    const { path, name } = typeof input === "string" ? { path: input, name: basename(input) } : input;
    const found = await stat(path).catch((error: unknown) => {
      if (isPattern(path)) return undefined;
      throw fileError("reading corpus", path, error);
    });
    if (!found) {
      files.push(...(await matchingFiles(path)));
      continue;
    }
    if (found.isDirectory()) files.push(...(await listDirectory(path, name)));
    else files.push({ path, name, bytes: found.size, ...kindOf(path) });
  }
  return files;
}

const isPattern = (path: string): boolean => /[*?[{]/.test(path);

async function matchingFiles(pattern: string): Promise<CorpusFile[]> {
  const paths: string[] = [];
  for await (const path of glob(pattern)) paths.push(path);
  paths.sort((a, b) => (a < b ? -1 : 1));
  const root = pattern.slice(0, pattern.search(/[^/\\]*[*?[{]/)); // names in reports begin behind what no star stands in
  const files: CorpusFile[] = [];
  for (const path of paths) {
    const found = await stat(path);
    if (found.isFile()) files.push({ path, name: path.slice(root.length).replaceAll("\\", "/"), bytes: found.size, ...kindOf(path) });
  }
  if (files.length > 0) return files;
  throw new FileError(`corpus: ${pattern} matches no file, expected at least one. Check the pattern.`);
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
  const kinds = [...RECORDS.keys(), ...TEXT].join(" ");
  throw new FileError(`corpus: ${directory} holds no file to read, expected some of ${kinds}, also with .gz or .zst. Name another directory, or files themselves.`);
}

function kindOf(path: string): Pick<CorpusFile, "kind" | "compression" | "separator"> {
  const compression = COMPRESSIONS.get(extname(path)) ?? "none";
  const ending = extname(compression === "none" ? path : path.slice(0, -extname(path).length));
  if (compression !== "none" && ending === ".json") return { kind: "jsonl", compression };
  return { ...(RECORDS.get(ending) ?? { kind: "text" }), compression };
}

function isKnown(path: string): boolean {
  return kindOf(path).kind !== "text" || TEXT.has(extname(COMPRESSIONS.has(extname(path)) ? path.slice(0, -extname(path).length) : path));
}
