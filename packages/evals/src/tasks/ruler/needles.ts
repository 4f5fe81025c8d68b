/** What the four needle families share: named values in a haystack, and one or several of them asked. */

import { ConfigError } from "@espalier/core";
import type { Draft, Draw, Knobs } from "../task.ts";
import { pseudoWords } from "../vocabulary.ts";
import { haystack, nonsense, repeatedNoise } from "./haystack.ts";

export type NeedleKnobs = Knobs & {
  /** Code points of the haystack. */
  length: number;
  /** Place of the first asked needle in per cent; -1: anywhere. */
  depth: number;
  /** Names that have values, the asked ones included. */
  keys: number;
  /** Values of the asked name. */
  values: number;
  /** Names asked. */
  queries: number;
  /** `noise`: one passage repeated; `sentences`: made-up ones; `needles`: values of other names, in the same form. */
  filler: string;
  /** `numbers`, `words`, or `hex` (32 hexadecimal digits in groups, as a UUID). */
  form: string;
  /** Digits of a number. */
  digits: number;
};

const HEX = [..."0123456789abcdef"];

function valueOf(draw: Draw, { form, digits }: NeedleKnobs): string {
  if (form === "numbers") return String(draw.between(10 ** (digits - 1), 10 ** digits - 1));
  if (form === "words") return pseudoWords(draw, 1, 3)[0];
  if (form === "hex") return [8, 4, 4, 4, 12].map((n) => Array.from({ length: n }, () => draw.pick(HEX)).join("")).join("-");
  throw new ConfigError(`needles: form is "${form}", expected numbers, words or hex.`);
}

function fillerOf(draw: Draw, knobs: NeedleKnobs, names: ReadonlySet<string>): (draw: Draw) => string {
  if (knobs.filler === "noise") return repeatedNoise();
  if (knobs.filler === "sentences") return nonsense;
  if (knobs.filler !== "needles") throw new ConfigError(`needles: filler is "${knobs.filler}", expected noise, sentences or needles.`);
  return () => {
    for (;;) {
      const [name] = pseudoWords(draw, 1, 2);
      if (!names.has(name)) return `The code of ${name} is ${valueOf(draw, knobs)}.`;
    }
  };
}

/** Draft of a needle item. The values come in the order of the text (one name) or of the question (several). */
export function needleItem(knobs: NeedleKnobs, draw: Draw): Draft {
  const { keys, values, queries, length, depth } = knobs;
  if (queries > keys) throw new ConfigError(`needles: ${queries} queries of ${keys} keys, expected at most as many. Raise keys.`);
  const content = draw.example(
    () => {
      const names = pseudoWords(draw, keys, 2);
      const drawn = new Set<string>();
      while (drawn.size < keys + values - 1) drawn.add(valueOf(draw, knobs));
      const all = [...drawn];
      const asked = draw.sample(names, queries);
      const needles = names.flatMap((name, k) => (name === asked[0] ? [all[k], ...all.slice(keys)] : [all[k]]).map((value) => ({ name, value })));
      return { names, asked, all, needles: draw.shuffle(needles) };
    },
    ({ asked, needles }) => `${asked.join(" ")} | ${needles.map(({ name, value }) => `${name} ${value}`).join(" ")}`,
  );
  const { names, asked, all, needles } = content;
  const { text, depth: found } = haystack(draw, {
    facts: needles.map(({ name, value }) => `The code of ${name} is ${value}.`),
    length,
    filler: fillerOf(draw, knobs, new Set(names)),
    asked: needles.findIndex(({ name }) => name === asked[0]),
    depth,
  });
  const answers = asked.flatMap((name) => needles.filter((needle) => needle.name === name).map(({ value }) => value));
  const plural = answers.length > 1;
  const wrongs = new Set<string>();
  while (wrongs.size < 3) {
    const other = draw.integer(2) === 0 ? draw.pick(all) : valueOf(draw, knobs);
    if (answers.includes(other)) continue;
    const at = draw.integer(answers.length);
    wrongs.add(answers.map((answer, k) => (k === at ? other : answer)).join(", "));
  }
  return {
    prompt: `${text}\nThe code${plural ? "s" : ""} of ${asked.join(", ")} ${plural ? "are" : "is"}`,
    target: answers.join(", "),
    distractors: [...wrongs],
    identity: `${asked.join(" ")} | ${needles.map(({ name, value }) => `${name} ${value}`).join(" ")}`,
    meta: { keys, values, queries, length, depth: found },
    ...(plural && { parts: { values: answers, separator: ", ", kind: "set" as const } }),
  };
}
