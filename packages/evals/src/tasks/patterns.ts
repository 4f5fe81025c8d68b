/** Pattern mining: a rule is hidden in shots `x -> y` and never stated. Five shots in the paper. */

import { type Draw, type Draft, defineTask, type Knobs } from "./task.ts";
import { ALPHANUMERIC, LOWER, scrambles, type Spelling, spell, symbols } from "./vocabulary.ts";

/** `letters`: lower-case; `alphanumeric`: both cases and digits, as the paper's random strings. */
type Alphabet = "letters" | "alphanumeric";
type PatternKnobs = { length: number; shots: number; alphabet: Alphabet; spelling: Spelling };

const alphabetOf = (name: string): readonly string[] => (name === "letters" ? LOWER : ALPHANUMERIC);

/** Shots and query of one hidden rule, with distractors as long as the answer. */
function patternItem(
  knobs: PatternKnobs & Knobs,
  draw: Draw,
  rule: (x: readonly string[]) => string[],
  traps: (x: readonly string[]) => string[][],
  hidden: string,
): Draft {
  const { length, shots, spelling } = knobs;
  const alphabet = alphabetOf(knobs.alphabet);
  const examples = Array.from({ length: shots + 1 }, () =>
    draw.example(
      () => symbols(draw, length, alphabet),
      (x) => x.join(""),
    ),
  );
  const query = examples.pop()!;
  const target = rule(query);
  const write = (list: readonly string[]) => spell(list, spelling);
  const taken = new Set([write(target)]);
  const distractors: string[] = [];
  for (const trap of [...traps(query), ...scrambles(draw, target, 3, alphabet)].map(write)) {
    if (distractors.length === 3) break;
    if (taken.has(trap)) continue;
    taken.add(trap);
    distractors.push(trap);
  }
  // Traps and scrambles may coincide; scrambles that differ from all of them fill up.
  while (distractors.length < 3) {
    const extra = write(scrambles(draw, target, 1, alphabet)[0]);
    if (taken.has(extra)) continue;
    taken.add(extra);
    distractors.push(extra);
  }
  return {
    prompt: examples.map((x) => `${write(x)} -> ${write(rule(x))}\n`).join("") + `${write(query)} ->`,
    target: write(target),
    distractors,
    identity: `${query.join("")} ${hidden}`,
    meta: { length, shots, hidden },
  };
}

type HeadTailKnobs = PatternKnobs & { head: number; tail: number };

/**
 * Head & Tail: `x -> h x t` with a head and a tail hidden in the shots.
 *
 * @see arXiv 2309.03852, pattern mining
 */
export const headTail = defineTask<HeadTailKnobs>({
  id: "headTail",
  version: 2,
  earlier: [{ version: 1, privateApart: false }],
  title: "Head & Tail",
  group: "pattern mining",
  paperItems: 100,
  levels: {
    tiny: { length: 2, head: 1, tail: 1, shots: 4, alphabet: "letters", spelling: "spaced" },
    small: { length: 4, head: 2, tail: 2, shots: 5, alphabet: "letters", spelling: "spaced" },
    paper: { length: 5, head: 3, tail: 4, shots: 5, alphabet: "alphanumeric", spelling: "packed" },
    large: { length: 16, head: 8, tail: 8, shots: 5, alphabet: "alphanumeric", spelling: "packed" },
  },
  chance: () => ({ exactMatch: 0, likelihood: 1 / 4 }),
  build(knobs, draw) {
    const alphabet = alphabetOf(knobs.alphabet);
    const head = symbols(draw, knobs.head, alphabet);
    const tail = symbols(draw, knobs.tail, alphabet);
    const otherTail = scrambles(draw, tail, 1, alphabet)[0];
    return patternItem(
      knobs,
      draw,
      (x) => [...head, ...x, ...tail],
      (x) => [
        [...head, ...x, ...otherTail],
        [...tail, ...x, ...head],
        [...x, ...head, ...tail],
      ],
      `${head.join("")} ${tail.join("")}`,
    );
  },
});

type RepeatKnobs = PatternKnobs & { repeats: number };

/**
 * Full Repeating: `x -> x x`.
 *
 * @see arXiv 2309.03852, pattern mining
 */
export const fullRepeating = defineTask<RepeatKnobs>({
  id: "fullRepeating",
  version: 2,
  earlier: [{ version: 1, privateApart: false }],
  title: "Full Repeating",
  group: "pattern mining",
  paperItems: 100,
  levels: {
    tiny: { length: 3, repeats: 2, shots: 4, alphabet: "letters", spelling: "spaced" },
    small: { length: 5, repeats: 2, shots: 5, alphabet: "letters", spelling: "spaced" },
    paper: { length: 6, repeats: 2, shots: 5, alphabet: "alphanumeric", spelling: "packed" },
    large: { length: 16, repeats: 3, shots: 5, alphabet: "alphanumeric", spelling: "packed" },
  },
  chance: () => ({ exactMatch: 0, likelihood: 1 / 4 }),
  build(knobs, draw) {
    const times = (x: readonly string[], n: number) => Array.from({ length: n }, () => x).flat();
    return patternItem(
      knobs,
      draw,
      (x) => times(x, knobs.repeats),
      (x) => [
        [...times(x, knobs.repeats - 1), ...[...x].reverse()],
        [...[...x].reverse(), ...times(x, knobs.repeats - 1)],
      ],
      String(knobs.repeats),
    );
  },
});

type SliceKnobs = PatternKnobs & {
  /** The hidden k is drawn from [minSlice, maxSlice], once an item. */
  minSlice: number;
  maxSlice: number;
};

/**
 * Head Slicing: `x -> x[0..k)` with k hidden in the shots.
 *
 * @see arXiv 2309.03852, pattern mining
 */
export const headSlicing = defineTask<SliceKnobs>({
  id: "headSlicing",
  version: 2,
  earlier: [{ version: 1, privateApart: false }],
  title: "Head Slicing",
  group: "pattern mining",
  paperItems: 100,
  levels: {
    tiny: { length: 4, minSlice: 2, maxSlice: 3, shots: 4, alphabet: "letters", spelling: "spaced" },
    small: { length: 6, minSlice: 2, maxSlice: 5, shots: 5, alphabet: "letters", spelling: "spaced" },
    paper: { length: 12, minSlice: 2, maxSlice: 8, shots: 5, alphabet: "alphanumeric", spelling: "packed" },
    large: { length: 32, minSlice: 4, maxSlice: 24, shots: 5, alphabet: "alphanumeric", spelling: "packed" },
  },
  chance: () => ({ exactMatch: 0, likelihood: 1 / 4 }),
  build(knobs, draw) {
    const k = draw.between(knobs.minSlice, knobs.maxSlice);
    return patternItem(
      knobs,
      draw,
      (x) => x.slice(0, k),
      (x) => [x.slice(1, k + 1), x.slice(-k)],
      String(k),
    );
  },
});
