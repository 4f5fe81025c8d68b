import { parseSample, type SampleView } from "./format.ts";
import { forEachLine } from "./lines.ts";

/** Where each sample of a log stands, and what filters need of it. About 20 bytes a sample and its key. */
export interface LogIndex {
  length: number;
  offsets: Float64Array<ArrayBuffer>;
  sizes: Uint32Array<ArrayBuffer>;
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
      const sample = parseSample(decoder.decode(bytes), file.name);
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

/** One sample, read from its place. */
export async function readSample(file: File | (Blob & { name?: string }), index: LogIndex, i: number): Promise<SampleView> {
  const from = index.offsets[i]!;
  return parseSample(await file.slice(from, from + index.sizes[i]!).text(), file.name)!;
}

/**
 * Numbers of the samples whose prompt, target, choices or answer contain a text, letter case ignored. The file is read
 * once more; the index alone would not know. Ends early when `onProgress` returns false.
 */
export async function searchLog(file: File | (Blob & { name?: string }), query: string, onProgress: (bytes: number) => void | boolean = () => {}): Promise<Uint32Array<ArrayBuffer>> {
  const wanted = query.toLowerCase();
  const found: number[] = [];
  const decoder = new TextDecoder();
  let i = 0;
  await forEachLine(
    file,
    (_, bytes) => {
      const sample = parseSample(decoder.decode(bytes), file.name);
      if (!sample) return;
      const parts = [sample.key, sample.prompt, sample.target, sample.generated ?? "", ...sample.choices.map((choice) => choice.text)];
      if (parts.some((part) => part.toLowerCase().includes(wanted))) found.push(i);
      i++;
    },
    onProgress,
  );
  return Uint32Array.from(found);
}
