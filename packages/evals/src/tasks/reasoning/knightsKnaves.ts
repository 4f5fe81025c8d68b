import { type ExampleKnobs, exampleTask } from "../examples.ts";
import type { Draw } from "../task.ts";
import { pseudoWords } from "../vocabulary.ts";

type KnightKnobs = ExampleKnobs & { people: number };

interface Statement {
  text: string;
  /** Whether it is true where person k is a knight when bit k is set. */
  isTrue(knights: number): boolean;
}

const bit = (knights: number, k: number) => ((knights >> k) & 1) === 1;

function statement(draw: Draw, names: readonly string[], speaker: number): Statement {
  const others = names.map((_, k) => k).filter((k) => k !== speaker);
  const a = draw.pick(others);
  const kind = draw.integer(others.length > 1 ? 4 : 3);
  if (kind < 2) return { text: `${names[a]} ${kind === 1 ? "is true" : "lies"}`, isTrue: (knights) => bit(knights, a) === (kind === 1) };
  const b = kind === 2 ? speaker : draw.pick(others.filter((k) => k !== a));
  const same = draw.integer(2) === 1;
  return { text: `${names[a]} and ${names[b]} are ${same ? "alike" : "unlike"}`, isTrue: (knights) => (bit(knights, a) === bit(knights, b)) === same };
}

/**
 * Knights, whose statements are all true, and knaves, whose are all false: who is true and who lies, in the order of
 * speaking. `Tam: Bir lies. Bir: Tam and Bir are alike. ->` continues `true, lies`. Items have one solution.
 */
export const knightsKnaves = exampleTask<KnightKnobs>({
  id: "knightsKnaves",
  version: 2,
  earlier: [{ version: 1, privateApart: false }],
  title: "Knights and knaves",
  group: "reasoning",
  levels: {
    tiny: { people: 2, shots: 1 },
    small: { people: 3, shots: 3 },
    paper: { people: 4, shots: 4 },
    large: { people: 9, shots: 4 },
  },
  guess: ({ people }) => 1 / 2 ** people,
  make({ people }, draw) {
    for (;;) {
      const names = pseudoWords(draw, people, 1).map((word) => word[0].toUpperCase() + word.slice(1));
      const said = names.map((_, k) => statement(draw, names, k));
      const solutions = Array.from({ length: 1 << people }, (_, knights) => knights).filter((knights) => said.every(({ isTrue }, k) => isTrue(knights) === bit(knights, k)));
      if (solutions.length !== 1) continue;
      const roles = (knights: number) => names.map((_, k) => (bit(knights, k) ? "true" : "lies"));
      const values = roles(solutions[0]);
      return {
        question: `${names.map((name, k) => `${name}: ${said[k].text}.`).join(" ")} ->`,
        answer: values.join(", "),
        wrong: () => roles(draw.integer(1 << people)).join(", "),
        parts: { values, separator: ", ", kind: "steps" },
      };
    }
  },
});
