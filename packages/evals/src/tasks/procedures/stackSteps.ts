import { type ExampleKnobs, exampleTask, stepExample } from "../examples.ts";
import { LOWER } from "../vocabulary.ts";

type StackKnobs = ExampleKnobs & { steps: number };

/** A stack, step by step: which letter is on top after each push and pop. `+a +b - ->` continues `a, b, a`. Never empty. */
export const stackSteps = exampleTask<StackKnobs>({
  id: "stackSteps",
  version: 2,
  earlier: [{ version: 1, privateApart: false }],
  title: "Stack, step by step",
  group: "step-wise procedures",
  levels: {
    tiny: { steps: 4, shots: 3 },
    small: { steps: 8, shots: 3 },
    paper: { steps: 14, shots: 3 },
    large: { steps: 25, shots: 3 },
  },
  make({ steps }, draw) {
    const stack: string[] = [];
    const orders: string[] = [];
    const tops = Array.from({ length: steps }, () => {
      if (stack.length > 1 && draw.integer(2) === 0) {
        stack.pop();
        orders.push("-");
      } else {
        stack.push(draw.pick(LOWER.filter((letter) => letter !== stack.at(-1))));
        orders.push(`+${stack.at(-1)}`);
      }
      return stack.at(-1)!;
    });
    return stepExample(`${orders.join(" ")} ->`, tops, ", ", () => draw.pick(LOWER), draw);
  },
});
