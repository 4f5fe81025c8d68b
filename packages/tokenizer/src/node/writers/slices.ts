import { ConfigError } from "@espalier/core";
import type { CorpusFile } from "../read/files.ts";
import { readTokens } from "./readTokens.ts";
import type { TokenDocument, WriteTokensOptions, WrittenFile } from "./types.ts";
import { type TokenFormat, writeTokens } from "./writeTokens.ts";

/** Part `index` of `count`, from 0. */
export interface Slice {
  index: number;
  count: number;
}

/** A slice from `i/n` as people write it: `1/4` to `4/4`. */
export function parseSlice(text: string): Slice {
  const [, i, n] = /^(\d+)\/(\d+)$/.exec(text) ?? [];
  const slice = { index: Number(i) - 1, count: Number(n) };
  if (!(slice.index >= 0 && slice.index < slice.count)) throw new ConfigError(`slice: ${JSON.stringify(text)}, expected i/n with 1 <= i <= n. Use 1/4, for example.`);
  return slice;
}

/**
 * The files of one slice: whole files, in order, chosen by where in all bytes a file begins. Slices are disjoint, and one
 * after the other they are all files in their order, so `mergeSlices` of what each gave equals one run over all files.
 * A single large file is one slice's work: split corpora into as many files as there are machines, or more.
 */
export function sliceFiles(files: readonly CorpusFile[], { index, count }: Slice): CorpusFile[] {
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  let before = 0;
  return files.filter(({ bytes }) => {
    const slice = total === 0 ? 0 : Math.min(count - 1, Math.floor((before / total) * count));
    before += bytes;
    return slice === index;
  });
}

/**
 * Joins what slices wrote to the bytes that one run over everything would have written.
 *
 * @param stems in the order of the slices
 * @throws {FileError} when a slice's file is missing or cut short
 */
export async function mergeSlices(format: TokenFormat, stems: readonly string[], stem: string, options: WriteTokensOptions): Promise<WrittenFile[]> {
  async function* documents(): AsyncGenerator<TokenDocument> {
    for (const slice of stems) yield* readTokens(format, slice, options);
  }
  return await writeTokens(format, stem, documents(), options);
}
