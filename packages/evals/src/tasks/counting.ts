import { defineTask, type Level } from "./task.ts";

type CountingKnobs = {
  /** First number is drawn from [0, maxStart]. */
  maxStart: number;
  minLength: number;
  maxLength: number;
  /** Step is drawn from [1, maxStep]. */
  maxStep: number;
  /** Base that numbers are written in; ignored for words. */
  base: number;
  /** `digits`, `english` (below one thousand) or `chinese` digits read one by one. */
  numerals: string;
};

const ONES = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split(" ");
const TENS = "- - twenty thirty forty fifty sixty seventy eighty ninety".split(" ");
const CHINESE = [..."〇一二三四五六七八九"];

function english(n: number): string {
  if (n < 20) return ONES[n];
  if (n < 100) return TENS[Math.floor(n / 10)] + (n % 10 === 0 ? "" : `-${ONES[n % 10]}`);
  if (n < 1000) return `${ONES[Math.floor(n / 100)]} hundred${n % 100 === 0 ? "" : ` ${english(n % 100)}`}`;
  return `${english(Math.floor(n / 1000))} thousand${n % 1000 === 0 ? "" : ` ${english(n % 1000)}`}`;
}

function numeral(n: number, { base, numerals }: CountingKnobs): string {
  if (numerals === "english") return english(n);
  if (numerals === "chinese") return [...String(n)].map((digit) => CHINESE[Number(digit)]).join("");
  return n.toString(base);
}

/** Of version 1, whose small numbers made so few items that public and private sets shared a quarter of them. */
const FIRST_LEVELS: Readonly<Record<Level, CountingKnobs>> = {
  tiny: { maxStart: 499, minLength: 3, maxLength: 5, maxStep: 1, base: 10, numerals: "digits" },
  small: { maxStart: 499, minLength: 4, maxLength: 8, maxStep: 2, base: 10, numerals: "digits" },
  paper: { maxStart: 200, minLength: 8, maxLength: 20, maxStep: 1, base: 10, numerals: "digits" },
  large: { maxStart: 9999, minLength: 20, maxLength: 40, maxStep: 9, base: 10, numerals: "digits" },
};

/**
 * Counting: `Count from 10 to 14:` continues `10, 11, 12, 13, 14`; right only when the whole sequence is.
 * Zero-shot, as in the paper. Distractors have the same number of elements and one of them wrong.
 *
 * @see arXiv 2309.03852, rule understanding; wording ours
 */
export const counting = defineTask<CountingKnobs>({
  id: "counting",
  version: 2,
  earlier: [{ version: 1, privateApart: false, levels: FIRST_LEVELS }],
  title: "Counting",
  group: "rule understanding",
  paperItems: 148,
  levels: {
    ...FIRST_LEVELS,
    tiny: { ...FIRST_LEVELS.tiny, maxStart: 999 },
    small: { ...FIRST_LEVELS.small, maxStart: 1999 },
    paper: { ...FIRST_LEVELS.paper, maxStart: 1999 }, // 3,250 items for each kind of seed, where version 1 had 653 in all
  },
  chance: () => ({ exactMatch: 0, likelihood: 1 / 4 }),
  build(knobs, draw) {
    const { start, step, length } = draw.example(
      () => ({
        start: draw.integer(knobs.maxStart + 1),
        step: draw.between(1, knobs.maxStep),
        length: draw.between(knobs.minLength, knobs.maxLength),
      }),
      ({ start, step, length }) => `${start} ${step} ${length}`,
    );
    const numbers = Array.from({ length }, (_, k) => start + k * step);
    const write = (list: readonly number[]) => list.map((n) => numeral(n, knobs)).join(", ");
    const distractors = new Set<string>();
    while (distractors.size < 3) {
      const wrong = [...numbers];
      const position = draw.integer(length);
      wrong[position] += draw.pick([-step, -1, 1, step, 10]);
      if (wrong[position] >= 0 && wrong[position] !== numbers[position]) distractors.add(write(wrong));
    }
    const manner = (step === 1 ? "" : ` in steps of ${numeral(step, knobs)}`) + (knobs.base === 10 ? "" : ` in base ${knobs.base}`);
    return {
      prompt: `Count from ${numeral(start, knobs)} to ${numeral(numbers.at(-1)!, knobs)}${manner}:`,
      target: write(numbers),
      distractors: [...distractors],
      identity: `${start} ${step} ${length}`,
      meta: { start, step, length },
      parts: { values: numbers.map((n) => numeral(n, knobs)), separator: ", ", kind: "steps" },
    };
  },
});
