import { type ExampleKnobs, exampleTask, nearNumber } from "../examples.ts";
import type { Draw } from "../task.ts";

type ArithmeticKnobs = ExampleKnobs & { terms: number; largest: number };

interface Expression {
  text: string;
  value: number;
  /** 1 for sums and differences, 2 for products, 3 for numbers. */
  binding: number;
}

function expression(draw: Draw, terms: number, largest: number): Expression {
  if (terms === 1) {
    const value = draw.between(1, largest);
    return { text: String(value), value, binding: 3 };
  }
  const split = draw.between(1, terms - 1);
  const [left, right] = [expression(draw, split, largest), expression(draw, terms - split, largest)];
  const operator = draw.pick(["+", "-", "*"]);
  const binding = operator === "*" ? 2 : 1;
  // On the right equal binding is bracketed too: after - it must be.
  const bracket = ({ text, binding: inner }: Expression, least: number) => (inner < least ? `(${text})` : text);
  const value = operator === "+" ? left.value + right.value : operator === "-" ? left.value - right.value : left.value * right.value;
  return { text: `${bracket(left, binding)} ${operator} ${bracket(right, binding + 1)}`, value, binding };
}

/** Arithmetic with brackets and precedence: `(3 + 4) * 2 - 5 =` continues `9`. Values stay below 10^9. */
export const basicArithmetic = exampleTask<ArithmeticKnobs>({
  id: "basicArithmetic",
  version: 2,
  earlier: [{ version: 1, privateApart: false }],
  title: "Basic arithmetic",
  group: "reasoning",
  levels: {
    tiny: { terms: 3, largest: 9, shots: 4 },
    small: { terms: 4, largest: 20, shots: 4 },
    paper: { terms: 6, largest: 99, shots: 4 },
    large: { terms: 12, largest: 99, shots: 4 },
  },
  make({ terms, largest }, draw) {
    for (;;) {
      const { text, value } = expression(draw, terms, largest);
      if (Math.abs(value) >= 1e9) continue;
      return { question: `${text} =`, answer: String(value), wrong: () => String(nearNumber(draw, value, -Infinity)) };
    }
  },
});
