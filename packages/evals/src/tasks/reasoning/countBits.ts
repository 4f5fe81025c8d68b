import { type ExampleKnobs, exampleTask } from "../examples.ts";
import { range } from "./balanced.ts";

type BitKnobs = ExampleKnobs & { bits: number; /** Least and most ones; each number between is equally likely. */ low: number; high: number };

/** Ones in the binary form of a number: `13 ->` continues `3`. */
export const countBits = exampleTask<BitKnobs>({
  id: "countBits",
  version: 2,
  earlier: [{ version: 1, privateApart: false }],
  title: "Count bits",
  group: "reasoning",
  instruction: "Ones in binary.",
  levels: {
    tiny: { bits: 14, low: 5, high: 9, shots: 6 },
    small: { bits: 18, low: 6, high: 12, shots: 6 },
    paper: { bits: 30, low: 10, high: 20, shots: 6 },
    large: { bits: 52, low: 16, high: 36, shots: 6 },
  },
  choices: ({ low, high }) => high - low + 1,
  guess: ({ low, high }) => 1 / (high - low + 1),
  make({ bits, low, high }, draw) {
    const count = draw.between(low, high);
    const set = draw.sample(range(0, bits - 1), count);
    return { question: `${set.reduce((sum, bit) => sum + 2 ** bit, 0)} ->`, answer: String(count), wrong: range(low, high).map(String) };
  },
});
