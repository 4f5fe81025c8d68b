import { type ExampleKnobs, exampleTask } from "../examples.ts";
import type { Draw } from "../task.ts";
import { pseudoWords } from "../vocabulary.ts";
import { balanced } from "./balanced.ts";

type LogicKnobs = ExampleKnobs & { variables: number; premises: number };

interface Premise {
  text: string;
  /** Whether it holds where variable k is bit k of the assignment. */
  holds(assignment: number): boolean;
}

const bit = (assignment: number, k: number) => ((assignment >> k) & 1) === 1;

function premise(draw: Draw, names: readonly string[]): Premise {
  const literal = (k: number) => {
    const negative = draw.integer(2) === 0;
    return { text: `${negative ? "not " : ""}${names[k]}`, holds: (assignment: number) => bit(assignment, k) !== negative };
  };
  const [a, b] = draw.sample(names.map((_, k) => k), 2).map(literal);
  return draw.pick<Premise>([
    { text: a.text, holds: a.holds },
    { text: `${a.text} or ${b.text}`, holds: (x) => a.holds(x) || b.holds(x) },
    { text: `if ${a.text} then ${b.text}`, holds: (x) => !a.holds(x) || b.holds(x) },
    { text: `${a.text} and ${b.text}`, holds: (x) => a.holds(x) && b.holds(x) },
    { text: `${a.text} only if ${b.text}`, holds: (x) => !a.holds(x) || b.holds(x) },
    { text: `either ${a.text} or ${b.text}`, holds: (x) => a.holds(x) !== b.holds(x) },
  ]);
}

/** What follows from premises: `tam or zol. not zol. tam?` continues `yes`; or `no`, or `unknown`. `either` excludes both. */
export const propositionalLogic = exampleTask<LogicKnobs>({
  id: "propositionalLogic",
  version: 2,
  earlier: [{ version: 1, privateApart: false }],
  title: "Propositional logic",
  group: "reasoning",
  levels: {
    tiny: { variables: 2, premises: 2, shots: 2 },
    small: { variables: 3, premises: 3, shots: 4 },
    paper: { variables: 5, premises: 5, shots: 4 },
    large: { variables: 10, premises: 11, shots: 4 },
  },
  choices: () => 3,
  guess: () => 1 / 3,
  make({ variables, premises }, draw) {
    const { question, answer } = balanced(
      draw,
      ["yes", "no", "unknown"],
      () => {
        for (;;) {
          const names = pseudoWords(draw, variables, 1);
          const given = Array.from({ length: premises }, () => premise(draw, names));
          const asked = draw.integer(variables);
          const models = Array.from({ length: 1 << variables }, (_, assignment) => assignment).filter((assignment) => given.every(({ holds }) => holds(assignment)));
          if (models.length === 0) continue; // a contradiction, from which everything follows
          const values = new Set(models.map((assignment) => bit(assignment, asked)));
          if (given.some(({ text }) => text === names[asked] || text === `not ${names[asked]}`)) continue; // told outright
          const told = given.map(({ text }) => `${text}.`).join(" ");
          return { question: `${told} ${names[asked]}?`, answer: values.size === 2 ? "unknown" : values.has(true) ? "yes" : "no" };
        }
      },
      (value) => value.answer,
    );
    return { question, answer, wrong: ["yes", "no", "unknown"] };
  },
});
