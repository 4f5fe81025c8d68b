import { availableParallelism } from "node:os";
import { ConfigError } from "@espalier/core";
import { type PatternName, type PiiKind, piiKinds, type QualityRuleName, qualityRules, readNgrams } from "@espalier/tokenizer";
import { loadTokenizer, parseSlice, type PrepareCorpusOptions, tokenFormats, type TokenFormat, tokenizerNames } from "@espalier/tokenizer/node";
import { type Command, InvalidArgumentError, Option } from "commander";
import { readText } from "../files.ts";
import { positiveInteger, share } from "../options.ts";
import { usage, UsageError } from "../usage.ts";

/** Options of `espalier tokenize` as commander gives them. */
export interface TokenizeOptions {
  out: string;
  tokenizer?: string;
  pattern: PatternName;
  vocab: number;
  memory?: number;
  minPieceCount?: number;
  separator?: string;
  validation: number;
  workers?: number;
  slice?: string;
  join?: true;
  textField: string;
  onBadLine: "skip" | "refuse";
  onDamagedFile: "skip" | "refuse";
  quality?: QualityRuleName[];
  languages?: string[];
  mask?: PiiKind[];
  ngrams?: string;
  blockedWords?: string;
  nearDuplicates?: true;
  repeatedSpans?: true;
  format?: TokenFormat[];
  dryRun?: true;
  json?: boolean;
}

/** A list `a,b,c` of known names, or `all`. */
function listOf<T extends string>(known: readonly T[]): (value: string) => T[] {
  return (value) => {
    const names = value === "all" ? [...known] : value.split(",").map((name) => name.trim() as T);
    const unknown = names.find((name) => !known.includes(name));
    if (unknown !== undefined) throw new InvalidArgumentError(`${JSON.stringify(unknown)} is not known. Expected some of ${known.join(",")}, or all.`);
    return names;
  };
}

/** ISO 639-1 codes. */
function languages(value: string): string[] {
  const codes = value.split(",").map((code) => code.trim());
  if (codes.some((code) => !/^[a-z]{2}$/.test(code))) throw new InvalidArgumentError("expected codes of two letters, en,zh for example.");
  return codes;
}

/** The bytes and the separator have ids of their own. */
function vocabulary(value: string): number {
  const size = positiveInteger(value);
  if (size < 257) throw new InvalidArgumentError("expected at least 257: 256 bytes and the separator.");
  return size;
}

const formats = Object.keys(tokenFormats) as TokenFormat[];

export function addOptions(command: Command): Command {
  const skipOrRefuse = (flag: string, text: string, preset: string) => new Option(`${flag} <what>`, text).choices(["skip", "refuse"]).default(preset);
  return command
    .requiredOption("--out <dir>", "directory to write: shards, tokeniser, manifest; an interrupted preparation goes on from there")
    .option("--tokenizer <name|file>", `${tokenizerNames.join(", ")}, a tokenizer.json or a .tiktoken file (default: one is trained)`)
    .addOption(new Option("--pattern <name>", "of a .tiktoken file that is not a published one").choices(["cl100k", "o200k", "gpt2"]).default("cl100k"))
    .option("--vocab <size>", "vocabulary to train", vocabulary, 4096)
    .option("--memory <MB>", "memory that training the vocabulary may take, the rest goes to disk (default: half of what there is)", positiveInteger)
    .option("--min-piece-count <n>", "words seen less often than this are left out of training (default: none)", positiveInteger)
    .option("--separator <token>", "special token behind each document (default: <|endoftext|>)")
    .option("--validation <share>", "share of documents held back, by hash", share, 0.02)
    .option("--workers <n>", "threads that clean and encode; files do not depend on it (default: all cores)", positiveInteger)
    .option("--slice <i/n>", "only the i-th of n parts of the files, for one of n machines")
    .option("--join", "paths are the directories of all slices: makes one corpus of them")
    .option("--text-field <name>", "key or column of the text in JSONL, CSV and Parquet", "text")
    .addOption(skipOrRefuse("--on-bad-line", "lines, rows and records without text", "skip"))
    .addOption(skipOrRefuse("--on-damaged-file", "files cut short or damaged: read up to there, or stop", "refuse"))
    .option("--quality <rules>", `documents that break rules go: ${qualityRules.join(",")}, or all`, listOf(qualityRules))
    .option("--languages <codes>", "documents in other languages go, en,zh for example (needs the package eld)", languages)
    .option("--near-duplicates", "near copies of earlier documents go; exact ones always do")
    .option("--repeated-spans", "sentences go of any three in a row that an earlier document has (C4); takes a pass over the text of its own")
    .option("--ngrams <file>", "documents go that hold an n-gram of this file, written by evaluation")
    .option("--blocked-words <file>", "documents go that hold a word or phrase of this file, one a line")
    .option("--mask <kinds>", `personal data replaced: ${piiKinds.join(",")}, or all`, listOf(piiKinds))
    .option("--format <names>", `also write for other trainers: ${formats.join(",")}`, listOf(formats))
    .option("--dry-run", "look at a sample; say how many tokens, how long, how much disk; write nothing");
}

/** Inputs smaller than this are done before worker threads have started. */
const SMALL_BYTES = 8 << 20;

export const defaultWorkers = (bytes: number): number => (bytes < SMALL_BYTES ? 0 : availableParallelism());

/** What `prepareCorpus` takes, files read. */
export async function corpusOptions(options: TokenizeOptions, inputs: string[], path: (value: string) => string): Promise<Omit<PrepareCorpusOptions, "workers">> {
  const { quality, languages, mask, nearDuplicates, repeatedSpans, separator } = options;
  const named = options.tokenizer;
  const ngrams = options.ngrams === undefined ? undefined : await readNgramFile(path(options.ngrams));
  const blockedWords = options.blockedWords === undefined ? undefined : await readWordFile(path(options.blockedWords));
  if (options.slice !== undefined && named === undefined) {
    throw new UsageError("--slice: no --tokenizer, expected one: all slices need the same. Train it on a part of the text first, then name its tokenizer.json.");
  }
  if (options.slice !== undefined && options.format !== undefined) {
    throw new UsageError("--format: with --slice, expected it with --join: copies across slices are left out when they are joined. Give it there.");
  }
  return {
    inputs,
    directory: path(options.out),
    tokenizer: named === undefined ? { vocabSize: options.vocab, ...(options.minPieceCount !== undefined && { minPieceCount: options.minPieceCount }) } : await loadTokenizer(tokenizerNames.includes(named) || /^(cl100k|o200k)_base$/.test(named) ? named : path(named), { pattern: options.pattern }),
    validationShare: options.validation,
    ...(options.memory !== undefined && { trainingMemoryBytes: options.memory * 1e6 }),
    textField: options.textField,
    malformed: options.onBadLine,
    damaged: options.onDamagedFile,
    clean: { ...(quality && { quality }), ...(languages && { languages }), ...(mask && { mask }), ...(ngrams && { ngrams }), ...(blockedWords && { blockedWords }) },
    ...(nearDuplicates && { nearDuplicates: {} }),
    ...(repeatedSpans && { repeatedSpans: {} }),
    ...(separator !== undefined && { separator }),
    ...(options.slice !== undefined && { slice: usage(() => parseSlice(options.slice!)) }),
  };
}

async function readNgramFile(file: string) {
  return readNgrams(await readText(file), file);
}

async function readWordFile(file: string): Promise<string[]> {
  const words = (await readText(file)).split("\n").map((line) => line.trim()).filter((line) => line !== "");
  if (words.length === 0) throw new ConfigError(`${file}: no words, expected one a line. Fill it, or leave --blocked-words out.`);
  return words;
}
