import { ConfigError } from "@espalier/core";
import { defineTask, type Draw } from "./task.ts";
import { LOWER, pseudoWords, scrambles, type Spelling, spell, UPPER } from "./vocabulary.ts";

type LowercaseKnobs = { length: number; shots: number; spelling: Spelling };

const CASED = [...LOWER, ...UPPER];

/**
 * Replace-Lowercase: every upper-case letter of a text becomes lower-case. The rule is stated once, then come shots.
 * Distractors have the letters of the answer in another order, or one letter wrong.
 *
 * @see arXiv 2309.03852, rule understanding (4-shot); wording ours
 */
export const replaceLowercase = defineTask<LowercaseKnobs>({
  id: "replaceLowercase",
  version: 2,
  earlier: [{ version: 1, privateApart: false }],
  title: "Replace-Lowercase",
  group: "rule understanding",
  paperItems: 300,
  levels: {
    tiny: { length: 4, shots: 3, spelling: "spaced" },
    small: { length: 8, shots: 4, spelling: "spaced" },
    paper: { length: 16, shots: 4, spelling: "packed" },
    large: { length: 48, shots: 4, spelling: "packed" },
  },
  chance: () => ({ exactMatch: 0, likelihood: 1 / 4 }),
  build({ length, shots, spelling }, draw) {
    const make = () => {
      const letters = Array.from({ length }, () => draw.pick(CASED));
      letters[draw.integer(length)] = draw.pick(UPPER); // at least one letter to replace
      return letters;
    };
    const lower = (letters: readonly string[]) => letters.map((letter) => letter.toLowerCase());
    const examples = Array.from({ length: shots + 1 }, () => draw.example(make, (letters) => letters.join("")));
    const query = examples.pop()!;
    const target = lower(query);
    return {
      prompt:
        "Make every letter lower-case.\n" +
        examples.map((letters) => `${spell(letters, spelling)} -> ${spell(lower(letters), spelling)}\n`).join("") +
        `${spell(query, spelling)} ->`,
      target: spell(target, spelling),
      distractors: scrambles(draw, target, 3, LOWER).map((letters) => spell(letters, spelling)),
      identity: query.join(""),
      meta: { length, shots },
    };
  },
});

type WordKnobs = {
  /** Words of the text. */
  length: number;
  /** Rules stated, applied one after the other. */
  rules: number;
  /** Each rule after the first replaces what the rule before it wrote. */
  overlap: boolean;
  /** Occurrences of each rule's source word in the text. */
  occurrences: number;
  shots: number;
};

interface Replacement {
  rules: [source: string, replacement: string][];
  text: string[];
  answer: string[];
}

function drawReplacement({ length, rules: numRules, overlap, occurrences }: WordKnobs, draw: Draw): Replacement {
  const marks = pseudoWords(draw, numRules * 2, 1).map((word) => word.toUpperCase());
  const rules: [string, string][] = [];
  for (let r = 0; r < numRules; r++) {
    rules.push([overlap && r > 0 ? rules[r - 1][1] : marks[2 * r], marks[2 * r + 1]]);
  }
  const planted = rules.slice(0, overlap ? 1 : numRules).flatMap(([source]) => Array<string>(occurrences).fill(source));
  if (planted.length >= length) {
    throw new ConfigError(
      `replaceWord: ${planted.length} words to replace do not fit a text of ${length} words. Raise length.`,
    );
  }
  const text = draw.shuffle([...planted, ...pseudoWords(draw, length - planted.length, 1)]);
  const answer = rules.reduce((words, [from, to]) => words.map((word) => (word === from ? to : word)), text);
  return { rules, text, answer };
}

const state = ({ rules, text }: Replacement): string =>
  `Replace ${rules.map(([from, to]) => `${from} by ${to}`).join(", then ")}: ${text.join(" ")} ->`;

/**
 * Replace-Word: a stated rule names a source and a replacement (random upper-case words); it is applied to a text.
 * Every shot has a rule of its own, so the rule must be read, not remembered.
 *
 * @see arXiv 2309.03852, rule understanding (4-shot); wording ours
 */
export const replaceWord = defineTask<WordKnobs>({
  id: "replaceWord",
  version: 2,
  earlier: [{ version: 1, privateApart: false }],
  title: "Replace-Word",
  group: "rule understanding",
  paperItems: 300,
  levels: {
    tiny: { length: 3, rules: 1, overlap: false, occurrences: 1, shots: 2 },
    small: { length: 6, rules: 1, overlap: false, occurrences: 2, shots: 4 },
    paper: { length: 12, rules: 1, overlap: false, occurrences: 2, shots: 4 },
    large: { length: 30, rules: 3, overlap: true, occurrences: 3, shots: 4 },
  },
  chance: () => ({ exactMatch: 0, likelihood: 1 / 4 }),
  build(knobs, draw) {
    const examples = Array.from({ length: knobs.shots + 1 }, () =>
      draw.example(() => drawReplacement(knobs, draw), state),
    );
    const query = examples.pop()!;
    const { text, answer, rules } = query;
    const replacement = rules.at(-1)![1];
    const elsewhere = scrambles(draw, answer, 2, [replacement, ...text], [text]); // words moved or confused
    return {
      prompt: examples.map((shot) => `${state(shot)} ${shot.answer.join(" ")}\n`).join("") + state(query),
      target: answer.join(" "),
      distractors: [text, ...elsewhere].map((words) => words.join(" ")), // the text left as it was is the first trap
      identity: state(query),
      meta: { length: text.length, rules: rules.length, shots: knobs.shots },
    };
  },
});
