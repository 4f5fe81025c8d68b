import { type ExampleKnobs, exampleTask, mutate, stepExample } from "../examples.ts";
import { LOWER, symbols } from "../vocabulary.ts";

type ReplaceKnobs = ExampleKnobs & { length: number; steps: number; /** Letters that occur. */ alphabet: number };

/**
 * Replacement, step by step: rules are applied in turn to all their letters, and the string is written after each.
 * `abca: a>b, b>d ->` continues `bbcb, ddcd`.
 */
export const replaceSteps = exampleTask<ReplaceKnobs>({
  id: "replaceSteps",
  version: 2,
  earlier: [{ version: 1, privateApart: false }],
  title: "Replacement, step by step",
  group: "step-wise procedures",
  levels: {
    tiny: { length: 4, steps: 2, alphabet: 5, shots: 2 },
    small: { length: 6, steps: 4, alphabet: 8, shots: 2 },
    paper: { length: 10, steps: 8, alphabet: 12, shots: 2 },
    large: { length: 16, steps: 25, alphabet: 26, shots: 2 },
  },
  make({ length, steps, alphabet }, draw) {
    const letters = LOWER.slice(0, alphabet);
    let text = symbols(draw, length, letters);
    const start = text.join("");
    const rules: string[] = [];
    const states: string[] = [];
    while (states.length < steps) {
      const from = draw.pick(text); // occurs, so that every rule does something
      const to = draw.pick(letters.filter((letter) => letter !== from));
      text = text.map((letter) => (letter === from ? to : letter));
      rules.push(`${from}>${to}`);
      states.push(text.join(""));
    }
    return stepExample(`${start}: ${rules.join(", ")} ->`, states, ", ", (step) => mutate(draw, [...step], letters).join(""), draw);
  },
});
