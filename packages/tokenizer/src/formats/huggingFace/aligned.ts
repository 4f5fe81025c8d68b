import { type Part } from "./file.ts";

/** A part of a text behind a normaliser: characters that came from the bytes `[start, end)` of the text in UTF-8; equal to them unless they were changed. */
export interface AlignedPart {
  text: string;
  start: number;
  end: number;
}

/** Bytes of a text in UTF-8. */
function byteLength(text: string): number {
  let bytes = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) bytes++;
    else if (unit < 0x800) bytes += 2;
    else {
      bytes += 3;
      if (unit >= 0xd800 && unit < 0xdc00 && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00) {
        bytes++;
        i++;
      }
    }
  }
  return bytes;
}

/** A text that nothing was done to, a part a character. */
export function aligned(text: string): AlignedPart[] {
  const parts: AlignedPart[] = [];
  let at = 0;
  for (const character of text) parts.push({ text: character, start: at, end: (at += byteLength(character)) });
  return parts;
}

export const textOf = (parts: readonly AlignedPart[]): string => parts.map(({ text }) => text).join("");

/** Puts a text before the others: it came from no byte. */
export function prepended(parts: readonly AlignedPart[], text: string): AlignedPart[] {
  const at = parts[0]?.start ?? 0;
  return [{ text, start: at, end: at }, ...parts];
}

/** Every occurrence of a string replaced, from the left, as by `replaceAll`. */
export function replaced(parts: readonly AlignedPart[], pattern: string, content: string): AlignedPart[] {
  if (pattern === "") return mapped(parts, (text) => text.replaceAll("", () => content));
  if (pattern.length === 1 && content !== "" && parts.every(({ text }) => text.length === 1 || !text.includes(pattern))) {
    return parts.map((part) => (part.text === pattern ? { text: content, start: part.start, end: part.end } : part)); // most files: a space
  }
  const found = textOf(parts).split(pattern);
  if (found.length === 1) return [...parts];
  const out: AlignedPart[] = [];
  let at = 0; // part under way, and how much of its text was taken
  let taken = 0;
  /** Takes `length` code units off the parts. A part that is cut keeps its whole place on both sides. */
  const take = (length: number): AlignedPart[] => {
    const some: AlignedPart[] = [];
    while (length > 0) {
      const { text, start, end } = parts[at]!;
      const piece = text.slice(taken, taken + length);
      some.push({ text: piece, start, end });
      length -= piece.length;
      taken += piece.length;
      if (taken === text.length) {
        at++;
        taken = 0;
      }
    }
    return some;
  };
  for (const [i, between] of found.entries()) {
    out.push(...take(between.length));
    if (i === found.length - 1) break;
    const old = take(pattern.length);
    out.push({ text: content, start: old[0]!.start, end: old.at(-1)!.end });
  }
  return out.filter(({ text }) => text !== "");
}

/**
 * A change by a function that looks at a character and the marks behind it: such groups are changed one by one where that
 * gives the same text, else the text becomes one part.
 */
export function mapped(parts: readonly AlignedPart[], change: (text: string) => string): AlignedPart[] {
  const groups: AlignedPart[] = [];
  for (const part of parts) {
    const last = groups.at(-1);
    if (last && /^\p{M}/u.test(part.text)) groups[groups.length - 1] = { text: last.text + part.text, start: last.start, end: part.end };
    else groups.push(part);
  }
  const whole = change(textOf(parts));
  const out = groups.map((group) => ({ ...group, text: change(group.text) })).filter(({ text }) => text !== "");
  if (textOf(out) === whole) return out;
  return whole === "" ? [] : [{ text: whole, start: parts[0]?.start ?? 0, end: parts.at(-1)?.end ?? 0 }];
}

/** One step of a normaliser that `normalizerOf` has accepted. */
export function alignedStep(step: Part, parts: readonly AlignedPart[]): AlignedPart[] {
  if (step.type === "Prepend") return parts.length === 0 ? [] : prepended(parts, step["prepend"] as string);
  if (step.type === "Lowercase") return mapped(parts, (text) => text.toLowerCase());
  if (step.type === "Replace") return replaced(parts, (step["pattern"] as { String: string }).String, step["content"] as string);
  return mapped(parts, (text) => text.normalize(step.type));
}

/**
 * Where tokens of a normalised text stand in the text before, from the bytes of UTF-8 behind each.
 *
 * @returns places in order: each begins no earlier than the one before ends
 */
export function placesOf(parts: readonly AlignedPart[], lengths: readonly number[]): { start: number; end: number }[] {
  let i = 0; // the part that holds the byte `at`, which begins at `before`
  let before = 0;
  let at = 0;
  let bytes = byteLength(parts[0]?.text ?? "");
  const moveTo = (byte: number): AlignedPart => {
    for (; byte >= before + bytes; bytes = byteLength(parts[i]!.text)) {
      before += bytes;
      i++;
    }
    return parts[i]!;
  };
  let reached = parts[0]?.start ?? 0;
  return lengths.map((length) => {
    let start = reached;
    let end = reached;
    if (length > 0) {
      // In a part of as many bytes as what it came from each byte is where it was; else all of it is.
      const first = moveTo(at);
      start = Math.max(reached, bytes === first.end - first.start ? first.start + at - before : first.start);
      at += length;
      const last = moveTo(at - 1);
      end = Math.max(start, bytes === last.end - last.start ? last.start + at - before : last.end);
    }
    reached = end;
    return { start, end };
  });
}
