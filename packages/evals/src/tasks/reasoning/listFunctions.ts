import { mutate } from "../examples.ts";
import { defineTask, type Knobs } from "../task.ts";

type FunctionKnobs = Knobs & {
  length: number;
  largest: number;
  shots: number;
  /** How many of the functions are in use, in the order of the list below. */
  functions: number;
};

const FUNCTIONS: readonly ((list: readonly number[]) => number[])[] = [
  (list) => [...list].reverse(),
  (list) => [...list].sort((a, b) => a - b),
  (list) => list.slice(1),
  (list) => list.map((n) => n + 1),
  (list) => [...list.slice(1), list[0]],
  (list) => list.map((n) => 2 * n),
  (list) => list.filter((n) => n % 2 === 0),
  (list) => list.map((_, k) => list.slice(0, k + 1).reduce((sum, n) => sum + n, 0)),
  (list) => list.filter((n, k) => list.indexOf(n) === k),
  (list) => list.slice(1).map((n, k) => n - list[k]),
  (list) => [...list].sort((a, b) => b - a).slice(0, 2),
  (list) => [...list.filter((_, k) => k % 2 === 0), ...list.filter((_, k) => k % 2 === 1)],
];

const text = (list: readonly number[]) => `[${list.join(" ")}]`;

/**
 * A function of lists that only the shots tell: `[3 1 4] -> [4 1 3]`, then another list. Items on which two functions agree
 * with all shots and differ on the query are drawn again.
 *
 * @see Rule 2020, "The child as hacker", for lists of numbers as a domain; functions ours
 */
export const listFunctions = defineTask<FunctionKnobs>({
  id: "listFunctions",
  version: 2,
  earlier: [{ version: 1, privateApart: false }],
  title: "List functions",
  group: "reasoning",
  paperItems: 100,
  levels: {
    tiny: { length: 4, largest: 9, shots: 4, functions: 5 },
    small: { length: 5, largest: 20, shots: 4, functions: 8 },
    paper: { length: 6, largest: 99, shots: 5, functions: 12 },
    large: { length: 20, largest: 99, shots: 5, functions: 12 },
  },
  chance: () => ({ exactMatch: 0, likelihood: 1 / 4 }),
  build({ length, largest, shots, functions }, draw) {
    const inUse = FUNCTIONS.slice(0, functions);
    for (;;) {
      const hidden = draw.pick(inUse);
      const drawn = Array.from({ length: shots + 1 }, () => draw.example(() => Array.from({ length }, () => draw.between(0, largest)), text));
      const query = drawn.pop()!;
      const answer = hidden(query);
      const fits = inUse.filter((other) => drawn.every((shot) => text(other(shot)) === text(hidden(shot))));
      if (answer.length < 2 || text(answer) === text(query) || fits.some((other) => text(other(query)) !== text(answer))) continue;
      const pool = [...query, ...answer].map(String);
      const wrongs = new Set<string>();
      while (wrongs.size < 3) {
        const other = `[${mutate(draw, answer.map(String), pool).join(" ")}]`;
        if (other !== text(answer)) wrongs.add(other);
        else if (answer.every((n) => n === answer[0]) || draw.integer(8) === 0) wrongs.add(text(answer.map((n) => n + draw.between(1, 9))));
      }
      return {
        prompt: drawn.map((shot) => `${text(shot)} -> ${text(hidden(shot))}\n`).join("") + `${text(query)} ->`,
        target: text(answer),
        distractors: [...wrongs],
        identity: text(query),
        meta: { shots, length },
      };
    }
  },
});
