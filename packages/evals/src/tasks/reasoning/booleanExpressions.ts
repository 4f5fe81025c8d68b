import { type ExampleKnobs, exampleTask } from "../examples.ts";
import type { Draw } from "../task.ts";
import { balanced } from "./balanced.ts";

type BooleanKnobs = ExampleKnobs & { /** True and False in the expression. */ terms: number };

interface Expression {
  text: string;
  value: boolean;
  /** 1 for or, 2 for and, 3 for not, 4 for constants and brackets. */
  binding: number;
}

function expression(draw: Draw, terms: number): Expression {
  const negative = draw.integer(4) === 0;
  const inner = positive(draw, terms);
  if (!negative) return inner;
  return { text: `not ${inner.binding < 3 ? `(${inner.text})` : inner.text}`, value: !inner.value, binding: 3 };
}

function positive(draw: Draw, terms: number): Expression {
  if (terms === 1) {
    const value = draw.integer(2) === 1;
    return { text: value ? "True" : "False", value, binding: 4 };
  }
  const split = draw.between(1, terms - 1);
  const [left, right] = [expression(draw, split), expression(draw, terms - split)];
  const and = draw.integer(2) === 1;
  const binding = and ? 2 : 1;
  const text = [left, right].map((part) => (part.binding < binding ? `(${part.text})` : part.text)).join(and ? " and " : " or ");
  return { text, value: and ? left.value && right.value : left.value || right.value, binding };
}

/** Boolean expressions; not binds before and, and before or: `not (True and False) or False is` continues `True`. */
export const booleanExpressions = exampleTask<BooleanKnobs>({
  id: "booleanExpressions",
  version: 2,
  earlier: [{ version: 1, privateApart: false }],
  title: "Boolean expressions",
  group: "reasoning",
  levels: {
    tiny: { terms: 4, shots: 2 },
    small: { terms: 8, shots: 3 },
    paper: { terms: 12, shots: 3 },
    large: { terms: 40, shots: 3 },
  },
  choices: () => 2,
  guess: () => 1 / 2,
  make({ terms }, draw) {
    const { text, value } = balanced(draw, [true, false], () => expression(draw, terms), (drawn) => drawn.value);
    return { question: `${text} is`, answer: value ? "True" : "False", wrong: ["True", "False"] };
  },
});
