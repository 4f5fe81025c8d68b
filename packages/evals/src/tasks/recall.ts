/** In-context recall: the abilities that already move in models of a million parameters. Not tasks of the paper. */

import { defineTask } from "./task.ts";
import { LOWER, pseudoWords, scrambles, symbols } from "./vocabulary.ts";

type CopyKnobs = { length: number; shots: number };

/** Copying: `a b c d = a b c d`. */
export const copying = defineTask<CopyKnobs>({
  id: "copying",
  version: 2,
  earlier: [{ version: 1, privateApart: false }],
  title: "Copying",
  group: "in-context recall",
  paperItems: 100,
  levels: {
    tiny: { length: 5, shots: 1 },
    small: { length: 12, shots: 1 },
    paper: { length: 24, shots: 1 },
    large: { length: 96, shots: 1 },
  },
  chance: () => ({ exactMatch: 0, likelihood: 1 / 4 }),
  build({ length, shots }, draw) {
    const make = () => symbols(draw, length, LOWER);
    const examples = Array.from({ length: shots + 1 }, () => draw.example(make, (x) => x.join(" ")));
    const query = examples.pop()!;
    return {
      prompt: examples.map((x) => `${x.join(" ")} = ${x.join(" ")}\n`).join("") + `${query.join(" ")} =`,
      target: query.join(" "),
      distractors: scrambles(draw, query, 3, LOWER).map((x) => x.join(" ")),
      identity: query.join(" "),
      meta: { length, shots },
    };
  },
});

type InductionKnobs = {
  /** Distinct symbols before the repeated one, at most 26 for letters and 300 for words. */
  length: number;
  /** `letters` or pseudo-`words`. */
  unit: string;
  choices: number;
};

/**
 * Induction: `... A B ... A` continues with `B`.
 *
 * @see Olsson et al. 2022, "In-context learning and induction heads", arXiv:2209.11895
 */
export const induction = defineTask<InductionKnobs>({
  id: "induction",
  version: 2,
  earlier: [{ version: 1, privateApart: false }],
  title: "Induction",
  group: "in-context recall",
  paperItems: 100,
  levels: {
    tiny: { length: 8, unit: "letters", choices: 4 },
    small: { length: 20, unit: "letters", choices: 4 },
    paper: { length: 40, unit: "words", choices: 4 },
    large: { length: 160, unit: "words", choices: 4 },
  },
  // A blind answer of a symbol of the context is right once in `length`.
  chance: ({ length, choices }) => ({ exactMatch: 1 / length, likelihood: 1 / choices }),
  build({ length, unit, choices }, draw) {
    return draw.example(
      () => {
        const sequence = unit === "words" ? pseudoWords(draw, length, 1) : draw.sample(LOWER, length);
        const position = draw.integer(length - 1);
        const cue = sequence[position];
        const target = sequence[position + 1];
        const prompt = `${sequence.join(" ")} ${cue}`;
        return {
          prompt,
          target,
          distractors: draw.sample(sequence.filter((symbol) => symbol !== target && symbol !== cue), choices - 1),
          identity: prompt,
          meta: { length, distance: length - position },
        };
      },
      ({ prompt }) => prompt,
    );
  },
});

type RecallKnobs = {
  pairs: number;
  /** Keys asked; all but the last are answered in the prompt. */
  queries: number;
  unit: string;
};

/**
 * Associative recall of several keys (MQAR): `f 4, k 7, q 2; q 2, f` continues with `4`. Keys and values are distinct
 * symbols of one alphabet, so that position must be used, not kind. Distractors are all other values.
 *
 * @see Arora et al. 2023, "Zoology", arXiv:2312.04927
 */
export const associativeRecall = defineTask<RecallKnobs>({
  id: "associativeRecall",
  version: 2,
  earlier: [{ version: 1, privateApart: false }],
  title: "Associative recall (MQAR)",
  group: "in-context recall",
  paperItems: 100,
  levels: {
    tiny: { pairs: 4, queries: 2, unit: "letters" },
    small: { pairs: 8, queries: 4, unit: "letters" },
    paper: { pairs: 24, queries: 8, unit: "words" },
    large: { pairs: 96, queries: 16, unit: "words" },
  },
  chance: ({ pairs }) => ({ exactMatch: 1 / pairs, likelihood: 1 / pairs }),
  build({ pairs, queries, unit }, draw) {
    return draw.example(
      () => {
        const all = unit === "words" ? pseudoWords(draw, 2 * pairs, 1) : draw.sample(LOWER, 2 * pairs);
        const table = Array.from({ length: pairs }, (_, p) => [all[2 * p], all[2 * p + 1]] as const);
        const asked = draw.sample(table, queries);
        const [key, value] = asked.at(-1)!;
        const answered = asked.slice(0, -1).map(([k, v]) => `${k} ${v}`);
        const prompt = `${table.map(([k, v]) => `${k} ${v}`).join(", ")}; ${[...answered, key].join(", ")}`;
        return {
          prompt,
          target: value,
          distractors: table.map(([, v]) => v).filter((v) => v !== value),
          identity: prompt,
          meta: { pairs, queries },
        };
      },
      ({ prompt }) => prompt,
    );
  },
});
