import type { PatternName } from "../../pretokenize/patterns.ts";

const contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
const cl100k = (numbers: string) =>
  `${contractions}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|${numbers}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`;
const upper = "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]";
const lower = "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]";
const lead = "[^\\r\\n\\p{L}\\p{N}]?";

/** The regular expressions that files have for our patterns; the first of each is the one we write. */
export const regexesOf: Readonly<Record<PatternName, readonly string[]>> = {
  cl100k: [cl100k("\\p{N}{1,3}")],
  qwen2: [cl100k("\\p{N}")],
  gpt2: [
    "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
    "'(?:[sdmt]|ll|ve|re)| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
  ],
  o200k: [
    `${lead}${upper}*${lower}+${contractions}?|${lead}${upper}+${lower}*${contractions}?|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`,
  ],
};

/** The pattern that a regular expression is, if it is one of ours. */
export function patternOfRegex(regex: string): PatternName | undefined {
  return (Object.keys(regexesOf) as PatternName[]).find((name) => regexesOf[name].includes(regex));
}
