import { type ExampleKnobs, exampleTask, mutate, stepExample } from "../examples.ts";
import { LOWER, symbols } from "../vocabulary.ts";

type StringKnobs = ExampleKnobs & {
  /** Letters of the first string. */
  length: number;
  steps: number;
};

/**
 * Head and tail, step by step: a string is changed at its ends or turned round, and written after each step.
 * `abc: head x, cut tail ->` continues `xabc, xab`.
 */
export const headTailSteps = exampleTask<StringKnobs>({
  id: "headTailSteps",
  version: 2,
  earlier: [{ version: 1, privateApart: false }],
  title: "Head and tail, step by step",
  group: "step-wise procedures",
  levels: {
    tiny: { length: 3, steps: 2, shots: 2 },
    small: { length: 4, steps: 4, shots: 2 },
    paper: { length: 6, steps: 8, shots: 2 },
    large: { length: 8, steps: 25, shots: 2 },
  },
  make({ length, steps }, draw) {
    let text = symbols(draw, length, LOWER);
    const start = text.join("");
    const orders: string[] = [];
    const states: string[] = [];
    while (states.length < steps) {
      const letter = draw.pick(LOWER);
      const order = draw.pick(["head", "tail", "cut head", "cut tail", "turn"]);
      if (text.length < 3 && order.startsWith("cut")) continue;
      if (order === "head") text = [letter, ...text];
      else if (order === "tail") text = [...text, letter];
      else if (order === "cut head") text = text.slice(1);
      else if (order === "cut tail") text = text.slice(0, -1);
      else text = [...text].reverse();
      orders.push(order === "head" || order === "tail" ? `${order} ${letter}` : order);
      states.push(text.join(""));
    }
    return stepExample(`${start}: ${orders.join(", ")} ->`, states, ", ", (step) => mutate(draw, [...step], LOWER).join(""), draw);
  },
});
