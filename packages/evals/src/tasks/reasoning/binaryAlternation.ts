import { ConfigError } from "@espalier/core";
import { type ExampleKnobs, exampleTask } from "../examples.ts";
import { range } from "./balanced.ts";

type AlternationKnobs = ExampleKnobs & { length: number; /** Fewest and most swaps; each number between is equally likely. */ least: number; most: number };

/** Fewest swaps of any two places that make a binary string alternate: `0011 ->` continues `1`. */
export const binaryAlternation = exampleTask<AlternationKnobs>({
  id: "binaryAlternation",
  version: 2,
  earlier: [{ version: 1, privateApart: false }],
  title: "Binary alternation",
  group: "reasoning",
  instruction: "Swaps until bits alternate.",
  levels: {
    tiny: { length: 20, least: 2, most: 4, shots: 4 },
    small: { length: 24, least: 2, most: 5, shots: 4 },
    paper: { length: 32, least: 2, most: 7, shots: 4 },
    large: { length: 65, least: 2, most: 15, shots: 4 },
  },
  choices: ({ least, most }) => most - least + 1,
  guess: ({ least, most }) => 1 / (most - least + 1),
  make({ length, least, most }, draw) {
    if (4 * most > length) throw new ConfigError(`binaryAlternation: most is ${most}, expected at most a quarter of the length ${length}. Lower it.`);
    const swaps = draw.between(least, most);
    const first = draw.integer(2);
    const bits = Array.from({ length }, (_, at) => (first + at) % 2);
    // As many ones as zeros are put wrong; with at most half of the places wrong, the other alternation is not nearer.
    for (const side of [0, 1]) for (const at of draw.sample(range(0, Math.floor((length - 1 - side) / 2)), swaps)) bits[2 * at + side] = 1 - bits[2 * at + side];
    return { question: `${bits.join("")} ->`, answer: String(swaps), wrong: range(least, most).map(String) };
  },
});
