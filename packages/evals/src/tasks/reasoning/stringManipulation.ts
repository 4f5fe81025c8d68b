import { type ExampleKnobs, exampleTask, mutate } from "../examples.ts";
import { symbols } from "../vocabulary.ts";

type RewriteKnobs = ExampleKnobs & { length: number; rules: number; /** Fewest rules that must be applied. */ minSteps: number };

const LETTERS = [..."abcd"];

/**
 * String rewriting: the first rule that fits is applied at its leftmost place, again and again, until none fits. Every
 * rule makes the string shorter, so it ends. `abca; ab=c, cc=d ->` continues `da`.
 */
export const stringManipulation = exampleTask<RewriteKnobs>({
  id: "stringManipulation",
  version: 2,
  earlier: [{ version: 1, privateApart: false }],
  title: "String manipulation",
  group: "reasoning",
  instruction: "Replace while a rule fits.",
  levels: {
    tiny: { length: 6, rules: 2, minSteps: 1, shots: 3 },
    small: { length: 10, rules: 3, minSteps: 2, shots: 3 },
    paper: { length: 16, rules: 4, minSteps: 4, shots: 3 },
    large: { length: 60, rules: 8, minSteps: 16, shots: 3 },
  },
  make({ length, rules, minSteps }, draw) {
    for (;;) {
      const start = symbols(draw, length, LETTERS).join("");
      const pairs = draw.sample(LETTERS.flatMap((a) => LETTERS.map((b) => a + b)), rules).map((from) => [from, draw.pick(LETTERS)] as const);
      let text = start;
      let steps = 0;
      for (;;) {
        const rule = pairs.find(([from]) => text.includes(from));
        if (rule === undefined) break;
        text = text.replace(rule[0], rule[1]);
        steps++;
      }
      if (steps < minSteps || text.length < 2) continue;
      return {
        question: `${start}; ${pairs.map(([from, to]) => `${from}=${to}`).join(", ")} ->`,
        answer: text,
        wrong: () => mutate(draw, [...text], LETTERS).join(""),
        meta: { steps },
      };
    }
  },
});
