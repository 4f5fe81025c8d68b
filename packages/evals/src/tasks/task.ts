/**
 * The contract of a generated task: item i is a pure function of (task id, version, difficulty, seed, i).
 * Nothing ships as a file, item i never depends on item i - 1, and every machine draws the same items.
 *
 * Training and test items cannot overlap: each example (a shot or a query) belongs to one of the two splits by a
 * hash of its own content, and a seed draws only from its split. A seed that starts with `train/` trains; every
 * other seed tests. A private test seed is `private/` and any text that is kept back. Test contents are parted once more, by
 * a second hash: private seeds draw from one half of them and all other test seeds from the other, so that no private
 * query or shot is ever public, however small the family.
 */

import { ConfigError, random, type RandomSequence } from "@espalier/core";

/** Version-independent marker of exported items: a text that contains it must not be trained on. */
export const canary = "ESPALIER-EVALS-CANARY 7d1f6c52-9a0e-4c3b-8f57-2e64b1d0a9c8 do not train on this file";

export type Knob = number | string | boolean;
/** What makes items of a task easier or harder. */
export type Knobs = { readonly [name: string]: Knob };
/** `tiny`: prompts of at most 200 characters, for models of a million parameters; `paper`: as the paper tells. */
export type Level = "tiny" | "small" | "paper" | "large";
export const levels: readonly Level[] = ["tiny", "small", "paper", "large"];
/** A level, or knobs that replace single knobs of `level` (`paper` unless named). */
export type Difficulty = Level | ({ readonly level?: Level } & Knobs);
export type Split = "train" | "test";
export type TaskGroup =
  | "symbolic mapping"
  | "rule understanding"
  | "pattern mining"
  | "anti-interference"
  | "in-context recall"
  | "step-wise procedures"
  | "retrieval by length"
  | "reasoning";

export type MetaValue = number | string | boolean | readonly (number | string)[];

/** A target taken apart, for credit below "all or nothing" (`partScores`). */
export interface Parts {
  /** Joined by the separator they are the target. */
  readonly values: readonly string[];
  readonly separator: string;
  /** `steps`: each follows from those before, credit for the longest right prefix; `set`: credit for each value that is named. */
  readonly kind: "steps" | "set";
}

export interface Item {
  /** `task@version/difficulty/seed/index`: regenerates the item anywhere. */
  key: string;
  index: number;
  /** Ends without white space; the continuation begins with one space. */
  prompt: string;
  target: string;
  /** The target and its distractors, shuffled. Free of duplicates. */
  choices: readonly string[];
  /** Content of the query, equal only for duplicates. */
  identity: string;
  meta: Readonly<Record<string, MetaValue>>;
  parts?: Parts;
}

/** Accuracy of blind guessing under each scoring. */
export interface Chance {
  /** Guessing among the answers that the prompt itself shows; 0 where the answer must be composed. */
  exactMatch: number;
  /** 1 / number of choices. */
  likelihood: number;
}

export interface Task<K extends Knobs = Knobs> {
  readonly id: string;
  /** Goes up whenever any item changes. */
  readonly version: number;
  readonly title: string;
  readonly group: TaskGroup;
  /** Items of the paper's set (facts of its tables; 100 where the paper has no such task). */
  readonly paperItems: number;
  readonly levels: Readonly<Record<Level, K>>;
  /** Generation ends before the first of these. */
  readonly until: readonly string[];
  /** Versions before this one, newest first, so that their scores can be repeated: `tasksNamed(["counting@1"])`. */
  readonly earlier?: readonly Task<K>[];
  chance(difficulty: Difficulty): Chance;
  generate(difficulty: Difficulty, seed: string | number, i: number): Item;
}

/** What a family makes of one draw. The framework adds key, shuffled choices and the checks. */
export interface Draft {
  prompt: string;
  target: string;
  distractors: readonly string[];
  identity: string;
  meta?: Readonly<Record<string, MetaValue>>;
  parts?: Parts;
}

/** Randomness of one item, with the rejection of duplicates and of examples of the other split. */
export interface Draw extends RandomSequence {
  readonly split: Split;
  readonly seed: string;
  readonly index: number;
  /** `n` distinct elements in random order. */
  sample<T>(items: readonly T[], n: number): T[];
  /** Integer in [low, high], both included. */
  between(low: number, high: number): number;
  /** Draws until the content of the example is new to this item and belongs to the split of the seed. */
  example<T>(make: () => T, contentOf: (value: T) => string): T;
}

/** What an earlier version of a family had in place of what its file now says. */
export interface EarlierVersion<K extends Knobs> {
  readonly version: number;
  readonly privateApart?: boolean;
  readonly levels?: Readonly<Record<Level, K>>;
}

/** A task family as its file declares it. */
export interface Family<K extends Knobs> extends Omit<Task<K>, "generate" | "chance" | "until" | "earlier"> {
  /** Private and public test seeds draw from disjoint contents. Default true; version 1 of this project's families had it not. */
  readonly privateApart?: boolean;
  /** Newest first. */
  readonly earlier?: readonly EarlierVersion<K>[];
  chance(knobs: K): Chance;
  build(knobs: K, draw: Draw): Draft;
}

/** One in four contents is held back for tests. */
const TEST_SHARE = 4;
const MAX_ATTEMPTS = 5_000;

/** The split that a content belongs to, whatever seed or difficulty drew it. */
export function splitOfContent(taskId: string, content: string): Split {
  return random(content, "evals/split", taskId).bits(0) % TEST_SHARE === 0 ? "test" : "train";
}

/** Whether a test content is for private seeds: half of the contents are. */
export function isPrivateContent(taskId: string, content: string): boolean {
  return random(content, "evals/private", taskId).bits(0) % 2 === 1;
}

/** Whether a seed is private: `private/<secret>` or `test/private/<secret>`. */
export const isPrivateSeed = (seed: string | number): boolean => namespacedSeed(seed).seed.startsWith("test/private/");

/** `train/...` trains, anything else tests. A bare seed becomes `test/<seed>`. */
export function namespacedSeed(seed: string | number): { seed: string; split: Split } {
  const text = String(seed);
  if (text.startsWith("train/")) return { seed: text, split: "train" };
  return { seed: text.startsWith("test/") ? text : `test/${text}`, split: "test" };
}

interface DrawOptions {
  taskId: string;
  sequence: RandomSequence;
  seed: string;
  split: Split;
  index: number;
  privateApart: boolean;
}

function drawFor({ taskId, sequence, seed, split, index, privateApart }: DrawOptions): Draw {
  const seen = new Set<string>();
  const isPrivate = isPrivateSeed(seed);
  const belongs = (content: string): boolean =>
    splitOfContent(taskId, content) === split && (split === "train" || !privateApart || isPrivateContent(taskId, content) === isPrivate);
  return {
    ...sequence,
    split,
    seed,
    index,
    between: (low, high) => low + sequence.integer(high - low + 1),
    sample(items, n) {
      if (n > items.length) {
        throw new ConfigError(
          `${taskId}: ${n} distinct symbols are needed, the vocabulary has ${items.length}. Lower the difficulty.`,
        );
      }
      const pool = [...items];
      for (let k = 0; k < n; k++) {
        const j = k + sequence.integer(pool.length - k); // Fisher-Yates, stopped after n
        [pool[k], pool[j]] = [pool[j], pool[k]];
      }
      return pool.slice(0, n);
    },
    example(make, contentOf) {
      for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
        const value = make();
        const content = contentOf(value);
        if (seen.has(content) || !belongs(content)) continue;
        seen.add(content);
        return value;
      }
      throw new ConfigError(
        `${taskId}: no new ${split} example in ${MAX_ATTEMPTS} draws, expected more distinct examples than shots. ` +
          "Raise the length or lower the number of shots.",
      );
    },
  };
}

/**
 * The knobs of a difficulty.
 *
 * @throws {ConfigError} for an unknown level, an unknown knob or a knob of another type
 */
export function knobsOf<K extends Knobs>(task: { id: string; levels: Readonly<Record<Level, K>> }, difficulty: Difficulty): K {
  const level = typeof difficulty === "string" ? difficulty : (difficulty.level ?? "paper");
  const base = task.levels[level];
  if (base === undefined) {
    throw new ConfigError(`${task.id}: level is "${level}", expected one of ${levels.join(", ")}.`);
  }
  if (typeof difficulty === "string") return base;
  const changes = Object.entries(difficulty).filter(([name]) => name !== "level");
  for (const [name, value] of changes) {
    if (!(name in base) || typeof value !== typeof base[name]) {
      const expected = Object.entries(base).map(([known, example]) => `${known} (${typeof example})`);
      throw new ConfigError(`${task.id}: knob ${name} is ${JSON.stringify(value)}, expected one of ${expected.join(", ")}.`);
    }
  }
  return { ...base, ...Object.fromEntries(changes) } as K;
}

/** `paper`, or the level with its changed knobs in alphabetical order: names a difficulty in item keys. */
export function difficultyName(difficulty: Difficulty): string {
  if (typeof difficulty === "string") return difficulty;
  const { level = "paper", ...knobs } = difficulty;
  const names = Object.keys(knobs).sort();
  return names.length === 0 ? level : `${level}{${names.map((name) => `${name}=${knobs[name]}`).join(",")}}`;
}

/** A task from its family: randomness by key, choices shuffled, contract checked. */
export function defineTask<K extends Knobs>(family: Family<K>): Task<K> {
  const { build, earlier, privateApart = true, ...rest } = family;
  return {
    ...rest,
    ...(earlier !== undefined && { earlier: earlier.map((version) => defineTask<K>({ ...family, earlier: undefined, ...version })) }),
    until: ["\n"],
    chance: (difficulty) => family.chance(knobsOf(family, difficulty)),
    generate(difficulty, seedGiven, i) {
      if (!Number.isSafeInteger(i) || i < 0) {
        throw new ConfigError(`${family.id}: item index is ${i}, expected a whole number from 0.`);
      }
      const knobs = knobsOf(family, difficulty);
      const { seed, split } = namespacedSeed(seedGiven);
      const knobNames = Object.keys(knobs).sort();
      const stream = random(seed, "evals", family.id, family.version, ...knobNames.flatMap((name) => [name, String(knobs[name])]), i);
      const draft = build(knobs, drawFor({ taskId: family.id, sequence: stream.sequence(), seed, split, index: i, privateApart }));
      const options = [draft.target, ...draft.distractors];
      if (draft.parts !== undefined && draft.parts.values.join(draft.parts.separator) !== draft.target) {
        throw new ConfigError(`${family.id}: parts joined are ${JSON.stringify(draft.parts.values.join(draft.parts.separator))}, expected the target ${JSON.stringify(draft.target)}. Correct the family.`);
      }
      if (new Set(options).size !== options.length) {
        throw new ConfigError(`${family.id}: choices ${JSON.stringify(options)} are not distinct. Raise the length or the alphabet.`);
      }
      return {
        key: `${family.id}@${family.version}/${difficultyName(difficulty)}/${seed}/${i}`,
        index: i,
        prompt: draft.prompt,
        target: draft.target,
        choices: stream.derive("choices").sequence().shuffle(options),
        identity: draft.identity,
        meta: draft.meta ?? {},
        ...(draft.parts !== undefined && { parts: draft.parts }),
      };
    },
  };
}
