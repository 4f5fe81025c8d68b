import { ConfigError } from "@espalier/core";
import { writeDatatrove, writeNanoGpt, writeOlmo } from "./flat.ts";
import { writeLlmC } from "./llmC.ts";
import { writeMds } from "./mds.ts";
import { writeMegatron } from "./megatron.ts";
import { writeParquet } from "./parquet.ts";
import type { TokenDocuments, WriteTokensOptions, WrittenFile } from "./types.ts";

/** Files of other trainers that token ids can be written to. */
export const tokenFormats = {
  megatron: writeMegatron,
  "llm.c": writeLlmC,
  nanogpt: writeNanoGpt,
  datatrove: writeDatatrove,
  olmo: writeOlmo,
  mds: writeMds,
  parquet: writeParquet,
} as const satisfies Record<string, (stem: string, documents: TokenDocuments, options: WriteTokensOptions) => Promise<WrittenFile[]>>;

export type TokenFormat = keyof typeof tokenFormats;

/**
 * Writes documents for another trainer, streamed: memory does not grow with the corpus. Every file is written atomically;
 * of a pair the index appears last.
 *
 * @param stem      path without ending
 * @param documents in order; each with the separator where the format's trainer wants it
 * @returns the files with their digests
 * @throws {ConfigError} when the format is not known
 * @throws {DataError} when an id does not fit the vocabulary
 * @throws {FileError} when the disk is full or a path cannot be written
 */
export async function writeTokens(format: TokenFormat, stem: string, documents: TokenDocuments, options: WriteTokensOptions): Promise<WrittenFile[]> {
  if (!Object.hasOwn(tokenFormats, format)) {
    throw new ConfigError(`writeTokens: format ${JSON.stringify(format)}, expected one of ${Object.keys(tokenFormats).join(", ")}. Use one of those.`);
  }
  return await tokenFormats[format](stem, documents, options);
}
