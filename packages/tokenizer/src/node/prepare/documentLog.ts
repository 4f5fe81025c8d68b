import { readFile } from "node:fs/promises";
import { FileError } from "@espalier/core";
import { fileError, type FileSystem } from "@espalier/core/node";
import { AppendFile } from "../appendFile.ts";
import type { CorpusState } from "../pipeline/state.ts";
import type { Treated } from "../pipeline/treat.ts";
import { readInUnits } from "../writers/tokenStream.ts";

/**
 * What a run remembers of every document that no rule dropped, in order: hash (16 bytes), split position (8 bytes), band
 * keys (8 bytes each), decision, bytes of text, file, line (4 bytes each). From it the tables of copies are filled again when a run goes on, and slices
 * are joined.
 */
export interface LoggedDocument {
  hash: Uint32Array;
  position: number;
  keys: Uint32Array;
  decision: number;
  textBytes: number;
  file: number;
  /** Line, row or record of the file; 0 when the file is the document. */
  line: number;
}

const recordBytes = (bands: number): number => 40 + 8 * bands;

export async function openLog(path: string, numDocuments: number, bands: number, fileSystem: FileSystem): Promise<AppendFile | undefined> {
  return await AppendFile.open(path, numDocuments * recordBytes(bands), fileSystem);
}

export async function logBatch(log: AppendFile, treated: Treated, decisions: Uint8Array, bands: number, lineBefore: number): Promise<void> {
  const { hashes, positions, bandKeys, textBytes, file, numbers } = treated;
  const size = recordBytes(bands);
  const buffer = new ArrayBuffer(size * decisions.length);
  const words = new Uint32Array(buffer);
  const doubles = new Float64Array(buffer);
  for (let i = 0; i < decisions.length; i++) {
    const at = (i * size) / 4;
    words.set(hashes.subarray(4 * i, 4 * i + 4), at);
    doubles[at / 2 + 2] = positions[i]!;
    if (bands > 0) words.set(bandKeys!.subarray(2 * bands * i, 2 * bands * (i + 1)), at + 6);
    words.set([decisions[i]!, textBytes[i]!, file, lineBefore + numbers[i]!], at + 6 + 2 * bands);
  }
  await log.write(new Uint8Array(buffer));
}

/**
 * Documents of a log in order.
 *
 * @throws {FileError} when it cannot be read or is cut short
 */
export async function* readLog(path: string, numDocuments: number, bands: number): AsyncGenerator<LoggedDocument> {
  const size = recordBytes(bands);
  let left = numDocuments;
  for await (const chunk of readInUnits(path, size)) {
    const words = new Uint32Array(chunk.buffer as ArrayBuffer);
    const numbers = new Float64Array(chunk.buffer as ArrayBuffer);
    for (let at = 0; at < words.length && left > 0; at += size / 4, left--) {
      const [decision, textBytes, file, line] = words.subarray(at + 6 + 2 * bands) as unknown as [number, number, number, number];
      yield { hash: words.subarray(at, at + 4), position: numbers[at / 2 + 2]!, keys: words.subarray(at + 6, at + 6 + 2 * bands), decision, textBytes, file, line };
    }
  }
  if (left > 0) throw new FileError(`${path}: ends ${left} documents early, expected ${numDocuments}. Tokenize the slice again.`);
}

/** Fills the tables of a state that goes on; what it decides is already counted. */
export async function recall(state: CorpusState, path: string): Promise<void> {
  for await (const { hash, keys } of readLog(path, state.record.numRemembered, state.bands)) state.remember(hash, 0, keys, 0);
}

export async function readJson<T>(path: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as T;
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw fileError("reading", path, error);
  }
}
