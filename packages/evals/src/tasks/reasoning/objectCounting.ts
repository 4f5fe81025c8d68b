import { type ExampleKnobs, exampleTask, nearNumber } from "../examples.ts";
import { pseudoWords } from "../vocabulary.ts";

type ObjectKnobs = ExampleKnobs & { kinds: number; largest: number };

const COLOURS = ["red", "blue", "green", "black", "white"];

/** Objects of one colour: `2 red tam, 1 blue zol, 4 red bir. red:` continues `6`. */
export const objectCounting = exampleTask<ObjectKnobs>({
  id: "objectCounting",
  version: 2,
  earlier: [{ version: 1, privateApart: false }],
  title: "Object counting",
  group: "reasoning",
  instruction: "Count.",
  levels: {
    tiny: { kinds: 3, largest: 9, shots: 3 },
    small: { kinds: 5, largest: 9, shots: 3 },
    paper: { kinds: 8, largest: 20, shots: 3 },
    large: { kinds: 40, largest: 99, shots: 3 },
  },
  make({ kinds, largest }, draw) {
    const colours = draw.sample(COLOURS, kinds < 6 ? 2 : 4);
    const objects = pseudoWords(draw, kinds, 1).map((name) => ({ name, colour: draw.pick(colours), count: draw.between(1, largest) }));
    const asked = draw.pick(objects).colour;
    const sum = objects.reduce((total, { colour, count }) => total + (colour === asked ? count : 0), 0);
    return {
      question: `${objects.map(({ name, colour, count }) => `${count} ${colour} ${name}`).join(", ")}. ${asked}:`,
      answer: String(sum),
      wrong: () => String(nearNumber(draw, sum, 1)),
    };
  },
});
