import { type ExampleKnobs, exampleTask, mutate } from "../examples.ts";
import { symbols } from "../vocabulary.ts";

type InsertKnobs = ExampleKnobs & { length: number; /** Letters of the pattern. */ pattern: number };

const LETTERS = [..."abc"];

/** A letter put in behind every occurrence of a pattern of the given string: `cabab; x after ab ->` continues `cabxabx`. */
export const stringInsertion = exampleTask<InsertKnobs>({
  id: "stringInsertion",
  version: 2,
  earlier: [{ version: 1, privateApart: false }],
  title: "String insertion",
  group: "reasoning",
  instruction: "Insert.",
  levels: {
    tiny: { length: 8, pattern: 2, shots: 3 },
    small: { length: 16, pattern: 2, shots: 3 },
    paper: { length: 24, pattern: 2, shots: 3 },
    large: { length: 96, pattern: 3, shots: 3 },
  },
  make({ length, pattern }, draw) {
    for (;;) {
      const text = symbols(draw, length, LETTERS);
      const wanted = symbols(draw, pattern, LETTERS).join("");
      const letter = draw.pick([..."xyz"]);
      // Occurrences may overlap: each end of one is followed by the letter.
      const out = text.flatMap((one, at) => (text.slice(Math.max(0, at - pattern + 1), at + 1).join("") === wanted ? [one, letter] : [one]));
      if (out.length === text.length) continue;
      return {
        question: `${text.join("")}; ${letter} after ${wanted} ->`,
        answer: out.join(""),
        wrong: () => mutate(draw, out, [...LETTERS, letter]).join(""),
        meta: { insertions: out.length - text.length },
      };
    }
  },
});
