import { type ExampleKnobs, exampleTask } from "../examples.ts";
import { LOWER, symbols } from "../vocabulary.ts";
import { range } from "./balanced.ts";

type LetterKnobs = ExampleKnobs & {
  /** Letters of the string. */
  length: number;
  /** Most occurrences; each number from 0 is equally likely. */
  most: number;
};

/** How often a letter occurs in a string: `a in tabara:` continues `3`. */
export const letterCounting = exampleTask<LetterKnobs>({
  id: "letterCounting",
  version: 2,
  earlier: [{ version: 1, privateApart: false }],
  title: "Letter counting",
  group: "reasoning",
  instruction: "Count the letter.",
  levels: {
    tiny: { length: 8, most: 3, shots: 3 },
    small: { length: 16, most: 5, shots: 3 },
    paper: { length: 24, most: 7, shots: 3 },
    large: { length: 96, most: 20, shots: 3 },
  },
  choices: ({ most }) => most + 1,
  guess: ({ most }) => 1 / (most + 1),
  make({ length, most }, draw) {
    const letter = draw.pick(LOWER);
    const count = draw.integer(most + 1);
    const others = symbols(draw, length - count, LOWER.filter((other) => other !== letter));
    const text = draw.shuffle([...others, ...Array<string>(count).fill(letter)]).join("");
    return { question: `${letter} in ${text}:`, answer: String(count), wrong: range(0, most).map(String) };
  },
});
