import { type ExampleKnobs, exampleTask } from "../examples.ts";
import { pseudoWords } from "../vocabulary.ts";

type CoinKnobs = ExampleKnobs & { people: number };

/** A coin that some turn over: `Heads. Tam flips it. Zol leaves it. It is` continues `tails`. */
export const coinFlip = exampleTask<CoinKnobs>({
  id: "coinFlip",
  version: 2,
  earlier: [{ version: 1, privateApart: false }],
  title: "Coin flip",
  group: "reasoning",
  levels: {
    tiny: { people: 2, shots: 3 },
    small: { people: 4, shots: 4 },
    paper: { people: 8, shots: 4 },
    large: { people: 32, shots: 4 },
  },
  choices: () => 2,
  guess: () => 1 / 2,
  make({ people }, draw) {
    const start = draw.integer(2);
    const flips = Array.from({ length: people }, () => draw.integer(2));
    const names = pseudoWords(draw, people, 1).map((word) => word[0].toUpperCase() + word.slice(1));
    const side = (n: number) => ["heads", "tails"][n % 2];
    const told = names.map((name, k) => `${name} ${flips[k] === 1 ? "flips" : "leaves"} it.`).join(" ");
    return {
      question: `${start === 0 ? "Heads" : "Tails"}. ${told} It is`,
      answer: side(flips.reduce((sum, flip) => sum + flip, start)),
      wrong: ["heads", "tails"],
    };
  },
});
