import { parseSample, type SampleView } from "./format.ts";
import type { LogIndex } from "./logIndex.ts";
import { findNeedle, needleOf } from "./needle.ts";

/** What a search needs of the index. */
export type Places = Pick<LogIndex, "length" | "offsets" | "sizes" | "promptOffsets" | "promptSizes" | "isPlain">;

const CHUNK = 8 << 20;
const [BACKSLASH, LOWER_U] = [0x5c, 0x75];

/** Texts of a sample that a search looks into; its key stands in the index. */
export const searchedTexts = ({ prompt, target, generated, choices }: SampleView): string[] => [prompt, target, generated ?? "", ...choices.map(({ text }) => text)];

/**
 * Gives the numbers of the samples whose prompt, target, choices or answer contain a text, letter case ignored, as they are found,
 * in rising order. Bytes are searched; only lines are parsed that have the text outside the prompt, or that hold escapes or joined
 * texts which bytes do not show (`isPlain`). Ends early when `onProgress` returns false.
 */
export async function searchLog(
  file: File | (Blob & { name?: string }),
  places: Places,
  query: string,
  onFound: (samples: Uint32Array<ArrayBuffer>) => void,
  onProgress: (bytes: number) => void | boolean = () => {},
  chunkBytes = CHUNK,
): Promise<void> {
  const { length, offsets, sizes } = places;
  const wanted = query.toLowerCase();
  const needle = needleOf(query);
  const decoder = new TextDecoder();
  const endOf = (i: number) => offsets[i]! + sizes[i]!;
  /** Samples [first, last) that one read holds. */
  const chunkFrom = (first: number): number => {
    let last = first + 1;
    while (last < length && endOf(last) - offsets[first]! <= chunkBytes) last++;
    return last;
  };
  const read = (first: number, last: number) => file.slice(offsets[first], endOf(last - 1)).arrayBuffer();

  let first = 0;
  let last = chunkFrom(0);
  let reading = length > 0 ? read(first, last) : undefined;
  while (reading) {
    const bytes = new Uint8Array(await reading);
    const [from, to] = [first, last];
    [first, last] = [last, chunkFrom(last)];
    reading = first < length ? read(first, last) : undefined; // while this one is searched
    const base = offsets[from]!;
    const contains = (i: number): boolean => {
      const sample = parseSample(decoder.decode(bytes.subarray(offsets[i]! - base, endOf(i) - base)), file.name);
      return sample !== undefined && searchedTexts(sample).some((text) => text.toLowerCase().includes(wanted));
    };
    const found = [...candidates(needle, bytes, places, from, to)].filter(([i, isSure]) => isSure || contains(i)).map(([i]) => i);
    if (found.length > 0) onFound(Uint32Array.from(found));
    if (onProgress(endOf(to - 1)) === false) return;
  }
}

/** Samples of [from, to) that may hold the needle, in rising order, each with whether its prompt surely does. `bytes` begin with the first. */
function* candidates(needle: ReturnType<typeof needleOf>, bytes: Uint8Array, places: Places, from: number, to: number): Generator<[sample: number, isSure: boolean]> {
  const { offsets, sizes, promptOffsets, promptSizes, isPlain } = places;
  const base = offsets[from]!;
  let at = needle ? findNeedle(needle, bytes, 0) : -1;
  for (let i = from; i < to; i++) {
    const start = offsets[i]! - base;
    const end = start + sizes[i]!;
    if (!needle || isPlain[i] === 0) {
      yield [i, false];
      continue;
    }
    if (at >= 0 && at < start) at = findNeedle(needle, bytes, start);
    const prompt = start + promptOffsets[i]!;
    const promptEnd = prompt + promptSizes[i]! - needle.length;
    let isThere = false;
    let isSure = false;
    while (at >= 0 && at < end && !isSure) {
      isThere = true;
      isSure = needle.isWhole && at >= prompt && at <= promptEnd && !isInEscape(bytes, at, prompt);
      if (at > promptEnd) break; // parsing decides
      if (!isSure) at = findNeedle(needle, bytes, at + 1);
    }
    if (isThere) yield [i, isSure];
  }
}

/** A byte of `\n` or `\u001b` but the first. The string begins at `from`. */
function isInEscape(bytes: Uint8Array, at: number, from: number): boolean {
  for (let k = at - 1; k >= Math.max(from, at - 5); k--) {
    if (bytes[k] !== BACKSLASH) continue;
    let first = k;
    while (first > from && bytes[first - 1] === BACKSLASH) first--;
    // Of a run of backslashes each second one is escaped by the one before it.
    return (k - first) % 2 === 0 && (k === at - 1 || bytes[k + 1] === LOWER_U);
  }
  return false;
}
