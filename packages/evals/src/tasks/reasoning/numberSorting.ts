import { type ExampleKnobs, exampleTask, mutate } from "../examples.ts";

type SortKnobs = ExampleKnobs & { numbers: number; largest: number; /** Negative numbers as well. */ signed: boolean };

/** Numbers in rising or falling order: `down 4 9 -2 ->` continues `9 4 -2`. */
export const numberSorting = exampleTask<SortKnobs>({
  id: "numberSorting",
  version: 2,
  earlier: [{ version: 1, privateApart: false }],
  title: "Number sorting",
  group: "reasoning",
  instruction: "Sort the numbers.",
  levels: {
    tiny: { numbers: 4, largest: 99, signed: false, shots: 3 },
    small: { numbers: 6, largest: 99, signed: true, shots: 3 },
    paper: { numbers: 10, largest: 999, signed: true, shots: 3 },
    large: { numbers: 30, largest: 9999, signed: true, shots: 3 },
  },
  make({ numbers, largest, signed }, draw) {
    const list = Array.from({ length: numbers }, () => draw.between(signed ? -largest : 0, largest));
    const down = draw.integer(2) === 1;
    const sorted = [...list].sort((a, b) => (down ? b - a : a - b)).map(String);
    return {
      question: `${down ? "down" : "up"} ${list.join(" ")} ->`,
      answer: sorted.join(" "),
      wrong: () => mutate(draw, sorted, list.map(String)).join(" "),
    };
  },
});
