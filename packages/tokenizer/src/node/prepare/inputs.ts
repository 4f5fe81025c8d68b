import { open, readFile } from "node:fs/promises";
import { fileError, sha256 } from "@espalier/core/node";
import { END_OF_TEXT } from "../../encodings.ts";
import { createDigest } from "../digest.ts";
import type { CorpusFile } from "../read/files.ts";
import type { InputSummary } from "../manifest.ts";
import type { DocumentOptions, ExtraDocuments, TokenizerChoice } from "./work.ts";

/** Part of the digest: raise it when the same inputs would give other shards. */
const PIPELINE_VERSION = 2;
/** Files hashed at once: they are many and small, or few and large. */
const CONCURRENT_HASHES = 8;
/** Files up to this size are read whole. */
const PIECE_BYTES = 1 << 20;

/** The files with the sha256 of their contents; throws `FileError` when one cannot be read. */
export async function digestInputs(files: readonly CorpusFile[]): Promise<InputSummary[]> {
  const inputs: InputSummary[] = [];
  const queue = files.entries();
  const hashRest = async () => {
    let room: Uint8Array | undefined; // one for all files: memory for every piece would be collected in the midst of encoding
    for (const [i, { path, name, bytes }] of queue) {
      inputs[i] = { name, bytes, sha256: bytes <= PIECE_BYTES ? sha256(await readWhole(path)) : await sha256InPieces(path, (room ??= new Uint8Array(PIECE_BYTES))) };
    }
  };
  await Promise.all(Array.from({ length: CONCURRENT_HASHES }, hashRest));
  return inputs;
}

/** Names the text alone: equal for every vocabulary and option. */
export function textDigestOf(inputs: readonly InputSummary[]): string {
  return sha256(inputs.map((input) => `${input.sha256}\n`).join(""));
}

/** Names all that decides, besides the inputs, what the shards hold. */
export function optionsDigestOf(tokenizer: TokenizerChoice, validationShare: number, documents: DocumentOptions, extra?: ExtraDocuments): string {
  const vocabulary = "encode" in tokenizer ? tokenizer.digest : [tokenizer.vocabSize, tokenizer.minFrequency ?? null, ...((tokenizer.minPieceCount ?? 1) > 1 ? [tokenizer.minPieceCount] : [])];
  const { textField = "text", clean = {}, nearDuplicates = null, malformed = "skip", damaged = "refuse", separator, repeatedSpans } = documents;
  const ngrams = clean.ngrams ? [clean.ngrams.n, sha256(new Uint8Array(clean.ngrams.hashes.buffer))] : null;
  const rules = [textField, { ...clean, ngrams }, nearDuplicates, malformed, damaged, ...(separator === undefined || separator === END_OF_TEXT ? [] : [separator]), ...(repeatedSpans ? [{ sentences: repeatedSpans.sentences ?? 3, minSentences: repeatedSpans.minSentences ?? 3 }] : [])];
  return sha256(JSON.stringify([PIPELINE_VERSION, vocabulary, validationShare, rules, extra ? [extra.name, extra.digest] : null]));
}

/** Names everything that decides what the shards hold. */
export function digestOf(inputs: readonly InputSummary[], optionsDigest: string): string {
  return sha256(JSON.stringify([inputs, optionsDigest]));
}

async function sha256InPieces(path: string, room: Uint8Array): Promise<string> {
  const digest = createDigest();
  try {
    const file = await open(path, "r");
    try {
      for (;;) {
        const { bytesRead } = await file.read(room, 0, room.length);
        if (bytesRead === 0) return digest.hex();
        await digest.update(room.subarray(0, bytesRead));
      }
    } finally {
      await file.close();
    }
  } catch (error) {
    throw fileError("reading corpus", path, error);
  }
}

async function readWhole(path: string): Promise<Uint8Array> {
  return await readFile(path).catch((error: unknown) => {
    throw fileError("reading corpus", path, error);
  });
}
