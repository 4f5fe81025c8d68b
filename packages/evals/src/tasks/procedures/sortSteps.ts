import { type ExampleKnobs, exampleTask, stepExample } from "../examples.ts";

type SortKnobs = ExampleKnobs & { length: number; /** Numbers are distinct and at most this. */ largest: number };

/**
 * Selection sort, step by step: at place 1, 2, ... the smallest number from there on changes places with the one that
 * stands there. `sort 3 1 2 ->` continues `1 3 2; 1 2 3`: n - 1 lists, changed or not.
 */
export const sortSteps = exampleTask<SortKnobs>({
  id: "sortSteps",
  version: 2,
  earlier: [{ version: 1, privateApart: false }],
  title: "Selection sort, step by step",
  group: "step-wise procedures",
  levels: {
    tiny: { length: 4, largest: 30, shots: 2 },
    small: { length: 5, largest: 99, shots: 2 },
    paper: { length: 8, largest: 99, shots: 2 },
    large: { length: 16, largest: 999, shots: 2 },
  },
  make({ length, largest }, draw) {
    const list = draw.sample(Array.from({ length: largest }, (_, n) => n + 1), length);
    const question = `sort ${list.join(" ")} ->`;
    const states = Array.from({ length: length - 1 }, (_, place) => {
      const smallest = list.indexOf(Math.min(...list.slice(place)));
      [list[place], list[smallest]] = [list[smallest], list[place]];
      return list.join(" ");
    });
    return stepExample(question, states, "; ", (step) => draw.shuffle(step.split(" ")).join(" "), draw);
  },
});
