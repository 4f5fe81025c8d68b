/** Families of questions with one answer: shots and query drawn alike, distractors of the same kind. */

import { ConfigError } from "@espalier/core";
import { defineTask, type Draft, type Draw, type EarlierVersion, type Knobs, type Level, type MetaValue, type Parts, type Task, type TaskGroup } from "./task.ts";

/** One question, and how wrong answers of the same kind are drawn. */
export interface Example {
  /** Ends without white space; the answer follows behind one space. */
  question: string;
  answer: string;
  /** Draws a wrong answer, or lists all of them. Repetitions and the answer itself are passed over. */
  wrong: (() => string) | readonly string[];
  parts?: Parts;
  meta?: Readonly<Record<string, MetaValue>>;
}

export type ExampleKnobs = Knobs & {
  /** Answered questions before the query. */
  shots: number;
};

export interface ExampleFamily<K extends ExampleKnobs> {
  id: string;
  version: number;
  title: string;
  group: TaskGroup;
  levels: Readonly<Record<Level, K>>;
  /** As in `Family`. */
  privateApart?: boolean;
  earlier?: readonly EarlierVersion<K>[];
  /** First line of the prompt. Default none. */
  instruction?: string;
  /** Between examples. Default a line end; an empty line where questions have several lines. */
  separator?: string;
  /** Number of choices, the target included. Default 4. */
  choices?(knobs: K): number;
  /** Exact match of guessing among answers that the prompt shows. Default 0. */
  guess?(knobs: K): number;
  make(knobs: K, draw: Draw): Example;
}

const PATIENCE = 10_000;

function distractorsOf(id: string, { answer, wrong }: Example, count: number): string[] {
  if (typeof wrong !== "function") return wrong.filter((text) => text !== answer).slice(0, count);
  const found = new Set<string>();
  for (let attempt = 0; found.size < count && attempt < PATIENCE; attempt++) {
    const text = wrong();
    if (text !== answer && text !== "") found.add(text);
  }
  if (found.size < count) throw new ConfigError(`${id}: ${found.size} wrong answers found, ${count} expected. Raise the difficulty.`);
  return [...found];
}

/** A task whose shots and query are drawn alike. 100 items where a set of the paper's size is asked; the paper lacks these tasks. */
export function exampleTask<K extends ExampleKnobs>(family: ExampleFamily<K>): Task<K> {
  const { id, version, title, group, levels, privateApart, earlier, instruction, separator = "\n", make } = family;
  const choices = (knobs: K) => family.choices?.(knobs) ?? 4;
  return defineTask<K>({
    id,
    version,
    title,
    group,
    levels,
    privateApart,
    earlier,
    paperItems: 100,
    chance: (knobs) => ({ exactMatch: family.guess?.(knobs) ?? 0, likelihood: 1 / choices(knobs) }),
    build(knobs, draw): Draft {
      const drawn = Array.from({ length: knobs.shots + 1 }, () => draw.example(() => make(knobs, draw), ({ question }) => question));
      const query = drawn.pop()!;
      const shots = drawn.map(({ question, answer }) => `${question} ${answer}${separator}`).join("");
      return {
        prompt: (instruction === undefined ? "" : `${instruction}\n`) + shots + query.question,
        target: query.answer,
        distractors: distractorsOf(id, query, choices(knobs) - 1),
        identity: query.question,
        meta: { ...query.meta, shots: knobs.shots },
        ...(query.parts !== undefined && { parts: query.parts }),
      };
    },
  });
}

/** The example of a procedure: its steps are the answer; a distractor has one step changed. */
export function stepExample(question: string, values: readonly string[], separator: string, change: (step: string, at: number) => string, draw: Draw): Example {
  return {
    question,
    answer: values.join(separator),
    wrong: () => {
      const at = draw.integer(values.length);
      return values.map((step, n) => (n === at ? change(step, n) : step)).join(separator);
    },
    parts: { values, separator, kind: "steps" },
    meta: { steps: values.length },
  };
}

/** A whole number near `n` and not below zero: a wrong answer of about the same length. */
export function nearNumber(draw: Draw, n: number, low = 0): number {
  return Math.max(low, n + draw.pick([-10, -3, -2, -1, 1, 2, 3, 10]));
}

/** The symbols in another order, or with one of them replaced. */
export function mutate(draw: Draw, original: readonly string[], alphabet: readonly string[]): string[] {
  if (draw.integer(2) === 0 && original.length > 2) return draw.shuffle(original);
  const changed = [...original];
  changed[draw.integer(changed.length)] = draw.pick(alphabet);
  return changed;
}
