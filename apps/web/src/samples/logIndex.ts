import { parseSample, type SampleView } from "./format.ts";
import { forEachLine } from "./lines.ts";
import { ODD_CAPITALS } from "./needle.ts";
import { searchedTexts } from "./searchLog.ts";

/** Where each sample of a log stands, and what filters and searches need of it. About 31 bytes a sample and its key. */
export interface LogIndex {
  length: number;
  offsets: Float64Array<ArrayBuffer>;
  sizes: Uint32Array<ArrayBuffer>;
  /** Where in the line a JSON string with the prompt's bytes stands, without its quotes; meant for plain samples alone. */
  promptOffsets: Uint32Array<ArrayBuffer>;
  promptSizes: Uint32Array<ArrayBuffer>;
  /** 1: all texts of the sample stand in the line as JSON strings have them, so that a search of bytes finds what they contain. */
  isPlain: Uint8Array<ArrayBuffer>;
  /** Index into `taskNames`. */
  tasks: Uint16Array<ArrayBuffer>;
  taskNames: string[];
  /** Bit s: right by score s of `scoreNames`; `scored` says whether the sample has that score. */
  right: Uint32Array<ArrayBuffer>;
  scored: Uint32Array<ArrayBuffer>;
  scoreNames: string[];
  keys: string[];
  /** Lines that are no samples: other content, or a last line torn by a kill. */
  skipped: number;
}

const MAX_SCORES = 32;

/**
 * Reads a log once, line by line. `onSoFar` gets the index of what has been read after the first part and whenever that has doubled,
 * so that the first rows of a large log can be looked at while the others are read.
 */
export async function indexLog(
  file: File | (Blob & { name?: string }),
  onProgress: (bytes: number, samples: number) => void = () => {},
  onSoFar: (index: LogIndex) => void = () => {},
): Promise<LogIndex> {
  const offsets: number[] = [];
  const sizes: number[] = [];
  const promptOffsets: number[] = [];
  const promptSizes: number[] = [];
  const isPlain: number[] = [];
  const tasks: number[] = [];
  const right: number[] = [];
  const scored: number[] = [];
  const keys: string[] = [];
  const taskIds = new Map<string, number>();
  const scoreIds = new Map<string, number>();
  const decoder = new TextDecoder();
  let skipped = 0;
  const indexed = (): LogIndex => ({
    length: offsets.length,
    offsets: Float64Array.from(offsets),
    sizes: Uint32Array.from(sizes),
    promptOffsets: Uint32Array.from(promptOffsets),
    promptSizes: Uint32Array.from(promptSizes),
    isPlain: Uint8Array.from(isPlain),
    tasks: Uint16Array.from(tasks),
    taskNames: [...taskIds.keys()],
    right: Uint32Array.from(right),
    scored: Uint32Array.from(scored),
    scoreNames: [...scoreIds.keys()],
    keys: [...keys],
    skipped,
  });
  let shown = 0;
  await forEachLine(
    file,
    (offset, bytes) => {
      const line = decoder.decode(bytes);
      const sample = parseSample(line, file.name);
      if (!sample) {
        skipped++;
        return;
      }
      let rightBits = 0;
      let scoredBits = 0;
      for (const [name, score] of Object.entries(sample.scores)) {
        if (typeof score !== "boolean") continue;
        if (!scoreIds.has(name) && scoreIds.size < MAX_SCORES) scoreIds.set(name, scoreIds.size);
        const id = scoreIds.get(name);
        if (id === undefined) continue;
        scoredBits |= 1 << id;
        if (score) rightBits |= 1 << id;
      }
      if (!taskIds.has(sample.task)) taskIds.set(sample.task, taskIds.size);
      offsets.push(offset);
      sizes.push(bytes.length);
      const prompt = promptPlace(line, bytes, sample);
      isPlain.push(prompt ? 1 : 0);
      promptOffsets.push(prompt?.[0] ?? 0);
      promptSizes.push(prompt?.[1] ?? 0);
      tasks.push(taskIds.get(sample.task)!);
      right.push(rightBits);
      scored.push(scoredBits);
      keys.push(sample.key);
    },
    (bytes) => {
      onProgress(bytes, offsets.length);
      if (offsets.length < 2 * shown || offsets.length === 0 || bytes === file.size) return;
      shown = offsets.length;
      onSoFar(indexed());
    },
  );
  return indexed();
}

/** Where the prompt stands in a plain line, in bytes; undefined where the line is not plain. */
function promptPlace(line: string, bytes: Uint8Array, sample: SampleView): [offset: number, size: number] | undefined {
  const [prompt = "", ...others] = searchedTexts(sample).map((text) => JSON.stringify(text).slice(1, -1));
  const at = line.indexOf(prompt);
  if (at < 0 || others.some((text) => !line.includes(text))) return undefined;
  if (line.length === bytes.length) return [at, prompt.length]; // ASCII
  // A byte order mark and bytes that are no UTF-8 have another length once decoded.
  if (bytes[0] === 0xef || line.includes("\uFFFD") || ODD_CAPITALS.test(line)) return undefined;
  return [utf8Length(line, 0, at), utf8Length(line, at, at + prompt.length)];
}

function utf8Length(text: string, from: number, to: number): number {
  let length = 0;
  for (let i = from; i < to; i++) {
    const unit = text.charCodeAt(i);
    // Each half of a surrogate pair counts two of its four bytes.
    length += unit < 0x80 ? 1 : unit < 0x800 || (unit >= 0xd800 && unit < 0xe000) ? 2 : 3;
  }
  return length;
}

/** One sample, read from its place. */
export async function readSample(file: File | (Blob & { name?: string }), index: LogIndex, i: number): Promise<SampleView> {
  const from = index.offsets[i]!;
  return parseSample(await file.slice(from, from + index.sizes[i]!).text(), file.name)!;
}
