import { join } from "node:path";
import { DataError } from "@espalier/core";
import { atomicWrite } from "@espalier/core/node";
import { END_OF_TEXT } from "../../encodings.ts";
import { writeTokenizerJson } from "../../formats/json.ts";
import type { Tokenizer } from "../../tokenizer.ts";
import { createPieceCounts, type PieceCounts } from "../../train/pieceCounts.ts";
import { trainTokenizer } from "../../train/trainTokenizer.ts";
import { CORPUS_FILES, type DocumentCounts, type MalformedLine } from "../manifest.ts";
import { distinctDocuments } from "./distinctDocuments.ts";
import { isValidation, type Split, splitOfFew } from "../split.ts";
import type { Scan, Work } from "./work.ts";

const MALFORMED_SHOWN = 10;

/** First pass over the text: copies, split, piece counts; then the vocabulary. Both are stored before this returns. */
export async function scanAndTrain(work: Work): Promise<{ scan: Scan; tokenizer: Tokenizer }> {
  const { directory, digest, fileSystem, extra, tokenizer: wanted, progress } = work;
  let counts = "encode" in wanted ? undefined : createPieceCounts();
  let split: Split = { below: work.validationShare };
  let scanned = await scanDocuments(work, counts, split);
  const other = splitOfFew(scanned, work.validationShare);
  if (other) {
    split = other;
    counts &&= createPieceCounts();
    scanned = await scanDocuments(work, counts, split);
  }
  const { documents, malformedLines } = scanned;
  expectBothSides(work, documents, malformedLines);
  if (counts) for (const text of extra?.documents() ?? []) counts.add(Buffer.from(text));
  const tokenizer = "encode" in wanted ? wanted : trainTokenizer(counts!, { ...wanted, progress });
  tokenizer.specialId(END_OF_TEXT); // refuses a vocabulary without a separator before anything is written

  const scan: Scan = { digest, tokenizerDigest: tokenizer.digest, documents, malformedLines, split };
  await atomicWrite(join(directory, CORPUS_FILES.tokenizer), writeTokenizerJson(tokenizer), fileSystem);
  await atomicWrite(join(directory, CORPUS_FILES.progress), `${JSON.stringify(scan)}\n`, fileSystem);
  return { scan, tokenizer };
}

async function scanDocuments(work: Work, counts: PieceCounts | undefined, split: Split) {
  const documents: DocumentCounts = { read: 0, duplicates: 0, malformed: 0, train: 0, validation: 0 };
  const malformedLines: MalformedLine[] = [];
  const positions = { lowest: 1, highest: 0 };
  const onMalformed = (source: string, reason: string) => {
    documents.malformed++;
    if (malformedLines.length < MALFORMED_SHOWN) malformedLines.push({ source, reason });
  };
  const onRead = () => void documents.read++;
  for await (const { bytes, position } of distinctDocuments(work, "read corpus", { onMalformed, onRead })) {
    positions.lowest = Math.min(positions.lowest, position);
    positions.highest = Math.max(positions.highest, position);
    if (isValidation(split, position, documents.train + documents.validation)) documents.validation++;
    else {
      documents.train++;
      counts?.add(bytes);
    }
  }
  documents.duplicates = documents.read - documents.train - documents.validation;
  return { documents, malformedLines, ...positions };
}

function expectBothSides({ files }: Work, { train, validation, malformed }: DocumentCounts, [first]: MalformedLine[]): void {
  if (train > 0 && validation > 0) return;
  const names = files.length === 1 ? files[0]!.path : `${files.length} files`;
  const skipped = first ? ` (${malformed} malformed lines, the first ${first.source}: ${first.reason})` : "";
  if (train + validation === 0) {
    throw new DataError(`corpus: no text in ${names}${skipped}, expected documents. Name files with text, or JSONL lines with a string "text".`);
  }
  throw new DataError(
    `corpus: ${train} training and ${validation} validation documents in ${names}${skipped}, expected some of both. Give more documents or another validation share.`,
  );
}
