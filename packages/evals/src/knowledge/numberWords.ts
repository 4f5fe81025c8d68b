/**
 * Numbers written as English words, found and read as lm-evaluation-harness does in Big-Bench Hard: a pattern of its own and
 * the reader of Python's word2number 1.1, both with their gaps, because scores are compared with its.
 */

import { findAll, pythonRegex } from "../python/regex.ts";
import { PYTHON_SPACE, splitWords, strip } from "../python/text.ts";
import { INVALID, type RegexFilterOptions, selectMatch } from "./filters.ts";

const STEMS = "twen|thir|for|fif|six|seven|nine";
const UNITS = "zero|one|two|three|four|five";
const LARGE = "ten|eleven|twelve|fourteen|hundred|thousand|(?:m|b|tr)illion";
/** Words that may end a number: a bare six, seven, eight or nine does not, and stands in the middle alone. */
const LAST = `${UNITS}|(?:${STEMS})(?:teen|ty)|eight(?:een|y)|${LARGE}`;
const FIRST = `${UNITS}|(?:${STEMS})(?:teen|ty)|eight(?:|een|y)|${LARGE}`;
const INNER = `${UNITS}|(?:${STEMS})(?:|teen|ty)|eight(?:een|y)|${LARGE}`;
const BLANK = `(?![\\r\\n])[${PYTHON_SPACE}]`;
const numberWords = new RegExp(`((?:(?:${FIRST})(?:${INNER}|${BLANK}|,|and|&)+)?(?:${LAST}))`, "gu");

const SMALL = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split(" ");
const values: ReadonlyMap<string, number> = new Map([
  ...SMALL.map((word, n) => [word, n] as const),
  ..."twenty thirty forty fifty sixty seventy eighty ninety".split(" ").map((word, n) => [word, 10 * (n + 2)] as const),
  ["hundred", 100],
  ["thousand", 1e3],
  ["million", 1e6],
  ["billion", 1e9],
]);

/** Up to four words below a scale: `two hundred fifty six`. Of more the first alone counts; none have no value. */
function belowScale(words: readonly string[]): number | undefined {
  const numbers = words.map((word) => values.get(word)!);
  const [a, b = 0, c = 0, d = 0] = numbers;
  if (numbers.length === 2) return numbers.includes(100) ? a! * b : a! + b;
  if (numbers.length === 3 || numbers.length === 4) return a! * b + c + d;
  return a;
}

/**
 * What word2number makes of a text without decimals: words that it does not know are passed over; undefined where it raises
 * an error (no number, a scale twice or out of order, a scale of nothing). Below a billion without thousands in between, its
 * scale words are added once more (`one billion two thousand` is 1000003002), as it does.
 */
export function wordsToNumber(text: string): number | undefined {
  const words = splitWords(text.toLowerCase().replaceAll("-", " ")).filter((word) => values.has(word));
  if (words.length <= 1) return values.get(words[0] ?? "");
  const scales = ["billion", "million", "thousand"];
  if (scales.some((word) => words.indexOf(word) !== words.lastIndexOf(word))) return undefined;
  const [billion, million, thousand] = scales.map((word) => words.indexOf(word)) as [number, number, number];
  if ((thousand >= 0 && (thousand < million || thousand < billion)) || (million >= 0 && million < billion)) return undefined;
  const last = words.length - 1;
  const summands: (number | undefined)[] = [];
  let from = 0;
  for (const at of [billion, million, thousand]) {
    if (at < 0) continue;
    const multiplier = belowScale(words.slice(from, at));
    summands.push(multiplier === undefined ? undefined : multiplier * values.get(words[at]!)!);
    from = at + 1;
  }
  if (from === 0) summands.push(belowScale(words));
  else if (thousand >= 0 && thousand < last) summands.push(belowScale(words.slice(thousand + 1)));
  else if (million >= 0 && million < last && thousand !== last) summands.push(belowScale(words.slice(million + 1)));
  else if (billion >= 0 && billion < last) summands.push(belowScale(words.slice(billion + 1)));
  return summands.includes(undefined) ? undefined : (summands as number[]).reduce((sum, x) => sum + x, 0);
}

/**
 * The number that a text names: what the pattern finds, else the chosen number in words, as digits. Where words that look like
 * one are none (`thousand thousand`), the harness ends with an error; here the fallback is given.
 */
export function numberFilter(pattern: string, { groupSelect = 0, fallback = INVALID }: RegexFilterOptions = {}): (text: string) => string {
  const digits = pythonRegex(pattern);
  return (text) => {
    const found = strip(selectMatch(findAll(digits, text), groupSelect) ?? "");
    if (found !== "") return found;
    const words = selectMatch(findAll(numberWords, text.toLowerCase()), groupSelect);
    return (words === undefined ? undefined : wordsToNumber(words)?.toString()) ?? fallback;
  };
}
