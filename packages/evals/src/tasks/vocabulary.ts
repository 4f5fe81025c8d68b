/** Words and symbols without meaning, so that no item can have been read before. */

import { random } from "@espalier/core";
import type { Draw } from "./task.ts";

const ONSETS = [..."bdgklmnprtvz"];
const VOWELS = [..."aeiou"];
const CODAS = [..."lmnrs"];

/** All pseudo-words of consonant, vowel, consonant: 300 of them, e.g. `tam`, `zol`. */
export const SYLLABLES: readonly string[] = ONSETS.flatMap((onset) =>
  VOWELS.flatMap((vowel) => CODAS.map((coda) => onset + vowel + coda)),
);

export const LOWER: readonly string[] = [..."abcdefghijklmnopqrstuvwxyz"];
export const UPPER: readonly string[] = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"];
export const ALPHANUMERIC: readonly string[] = [...LOWER, ...UPPER, ..."0123456789"];

/** `n` distinct pseudo-words of the given number of syllables (3 characters each). */
export function pseudoWords(draw: Draw, n: number, syllables = 1): string[] {
  if (syllables === 1) return draw.sample(SYLLABLES, n);
  const words = new Set<string>();
  while (words.size < n) words.add(Array.from({ length: syllables }, () => draw.pick(SYLLABLES)).join(""));
  return [...words];
}

/** Names, places and objects of a world, drawn once per seed and free of repetition. */
export function worldVocabulary(seed: string, size: number): { names: string[]; places: string[]; objects: string[] } {
  const words = random(seed, "evals/world").sequence().shuffle(SYLLABLES);
  const capital = (word: string) => word[0].toUpperCase() + word.slice(1);
  return {
    names: words.slice(0, size).map(capital),
    places: words.slice(size, 2 * size),
    objects: words.slice(2 * size, 3 * size),
  };
}

/**
 * How a string of symbols is written: `packed` as in the paper (`IHFJd`), or `spaced` (`I H F J d`), where nearly every
 * vocabulary spends one token a symbol, so that scores under different tokenizers can be compared.
 */
export type Spelling = "packed" | "spaced";

export const spell = (symbols: readonly string[], spelling: string): string => symbols.join(spelling === "spaced" ? " " : "");

/** `n` symbols of an alphabet, repetitions allowed. */
export const symbols = (draw: Draw, n: number, alphabet: readonly string[]): string[] =>
  Array.from({ length: n }, () => draw.pick(alphabet));

/**
 * Up to `count` rearrangements of the symbols that differ from the symbols and from each other: distractors of equal
 * length, so that likelihood does not favour the shorter. Where too few exist, one symbol is replaced as well.
 */
export function scrambles(draw: Draw, original: readonly string[], count: number, alphabet: readonly string[], taken: readonly string[][] = []): string[][] {
  const found: string[][] = [];
  const seen = new Set([original, ...taken].map((list) => list.join("\u0000")));
  for (let attempt = 0; found.length < count; attempt++) {
    let candidate = draw.shuffle(original);
    if (attempt % 2 === 1 || original.length < 3) {
      candidate = [...original];
      candidate[draw.integer(candidate.length)] = draw.pick(alphabet);
    }
    const key = candidate.join("\u0000");
    if (seen.has(key)) continue;
    seen.add(key);
    found.push(candidate);
  }
  return found;
}
