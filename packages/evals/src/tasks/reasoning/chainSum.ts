import { type ExampleKnobs, exampleTask, nearNumber } from "../examples.ts";

type SumKnobs = ExampleKnobs & { terms: number; largest: number };

/** A chain of additions and subtractions: `12 + 7 - 3 =` continues `16`. */
export const chainSum = exampleTask<SumKnobs>({
  id: "chainSum",
  version: 2,
  earlier: [{ version: 1, privateApart: false }],
  title: "Chain sum",
  group: "reasoning",
  levels: {
    tiny: { terms: 3, largest: 9, shots: 4 },
    small: { terms: 4, largest: 99, shots: 4 },
    paper: { terms: 6, largest: 999, shots: 4 },
    large: { terms: 16, largest: 99_999, shots: 4 },
  },
  make({ terms, largest }, draw) {
    let sum = draw.between(1, largest);
    let question = String(sum);
    for (let term = 1; term < terms; term++) {
      const amount = draw.between(1, largest);
      const minus = draw.integer(2) === 0;
      question += ` ${minus ? "-" : "+"} ${amount}`;
      sum += minus ? -amount : amount;
    }
    return { question: `${question} =`, answer: String(sum), wrong: () => String(nearNumber(draw, sum, -Infinity)) };
  },
});
