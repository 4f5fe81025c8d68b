import { type ExampleKnobs, exampleTask, nearNumber } from "../examples.ts";
import type { Draw } from "../task.ts";

type SequenceKnobs = ExampleKnobs & {
  /** Numbers shown. */
  shown: number;
  largest: number;
  /** How many of the rules are in use: constant step, constant ratio, sum of the last two, growing step, two steps in turn. */
  rules: number;
};

/** Each rule, as what comes next after a list: undefined where the list does not follow it. Five numbers settle each. */
const RULES: readonly ((list: readonly number[]) => number | undefined)[] = [
  (list) => (every(list, 1, (n) => list[n] - list[n - 1] === list[1] - list[0]) ? list.at(-1)! + list[1] - list[0] : undefined),
  (list) => (list[0] !== 0 && every(list, 1, (n) => list[n] * list[0] === list[n - 1] * list[1]) ? (list.at(-1)! * list[1]) / list[0] : undefined),
  (list) => (every(list, 2, (n) => list[n] === list[n - 1] + list[n - 2]) ? list.at(-1)! + list.at(-2)! : undefined),
  (list) => (every(list, 3, (n) => list[n] - 3 * list[n - 1] + 3 * list[n - 2] - list[n - 3] === 0) ? 3 * list.at(-1)! - 3 * list.at(-2)! + list.at(-3)! : undefined),
  (list) => (every(list, 3, (n) => list[n] - list[n - 1] === list[n - 2] - list[n - 3]) ? list.at(-1)! + list.at(-2)! - list.at(-3)! : undefined),
];

function every(list: readonly number[], from: number, holds: (n: number) => boolean): boolean {
  for (let n = from; n < list.length; n++) if (!holds(n)) return false;
  return true;
}

function sequence(draw: Draw, rule: number, length: number, largest: number): number[] {
  const small = () => draw.between(1, Math.max(2, Math.ceil(largest / 10)));
  const list = [draw.between(1, largest)];
  if (rule === 0) for (const step = draw.pick([-1, 1]) * small(); list.length < length; ) list.push(list.at(-1)! + step);
  else if (rule === 1) for (const ratio = draw.between(2, 9); list.length < length; ) list.push(list.at(-1)! * ratio);
  else if (rule === 2) for (list.push(draw.between(1, largest)); list.length < length; ) list.push(list.at(-1)! + list.at(-2)!);
  else if (rule === 3) for (let step = small(), growth = small(); list.length < length; step += growth) list.push(list.at(-1)! + step);
  else for (const steps = [small(), -small()]; list.length < length; ) list.push(list.at(-1)! + steps[list.length % 2]);
  return list;
}

/** The next number of a sequence: `2, 5, 8, 11,` continues `14`. Sequences that two rules continue differently are drawn again. */
export const numberSequences = exampleTask<SequenceKnobs>({
  id: "numberSequences",
  version: 2,
  earlier: [{ version: 1, privateApart: false }],
  title: "Number sequences",
  group: "reasoning",
  levels: {
    tiny: { shown: 5, largest: 200, rules: 3, shots: 3 },
    small: { shown: 6, largest: 400, rules: 3, shots: 3 },
    paper: { shown: 6, largest: 600, rules: 5, shots: 3 },
    large: { shown: 7, largest: 1000, rules: 5, shots: 3 },
  },
  make({ shown, largest, rules }, draw) {
    for (;;) {
      const list = sequence(draw, draw.integer(rules), shown + 1, largest);
      const next = list.pop()!;
      if (RULES.some((follow) => ![undefined, next].includes(follow(list)))) continue;
      return { question: `${list.join(", ")},`, answer: String(next), wrong: () => String(nearNumber(draw, next, -Infinity)) };
    }
  },
});
