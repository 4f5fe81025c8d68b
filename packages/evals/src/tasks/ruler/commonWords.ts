import { defineTask, type Knobs } from "../task.ts";
import { pseudoWords } from "../vocabulary.ts";

type CommonKnobs = Knobs & {
  /** Words of the list, repetitions counted. */
  words: number;
  /** Words asked. */
  common: number;
  /** How often each of them occurs, and each other word. */
  often: number;
  seldom: number;
};

/**
 * Common words: a few words of a shuffled list occur more often than all others; they are asked in alphabetical order.
 *
 * @see Hsieh et al. 2024, RULER, arXiv:2404.06654; wording ours
 */
export const commonWords = defineTask<CommonKnobs>({
  id: "commonWords",
  version: 2,
  earlier: [{ version: 1, privateApart: false }],
  title: "Common words",
  group: "retrieval by length",
  paperItems: 100,
  levels: {
    tiny: { words: 16, common: 2, often: 4, seldom: 1 },
    small: { words: 80, common: 3, often: 8, seldom: 2 },
    paper: { words: 700, common: 10, often: 30, seldom: 3 },
    large: { words: 3000, common: 10, often: 30, seldom: 3 },
  },
  chance: () => ({ exactMatch: 0, likelihood: 1 / 4 }),
  build({ words, common, often, seldom }, draw) {
    const { frequent, rare } = draw.example(
      () => {
        const all = pseudoWords(draw, common + Math.max(4, Math.floor((words - common * often) / seldom)), 2);
        return { frequent: all.slice(0, common).sort(), rare: all.slice(common) };
      },
      (drawn) => `${drawn.frequent.join(" ")} | ${drawn.rare.join(" ")}`,
    );
    const times = (list: readonly string[], n: number) => list.flatMap((word) => Array<string>(n).fill(word));
    const list = draw.shuffle([...times(frequent, often), ...times(rare, seldom)]);
    const wrongs = new Set<string>();
    while (wrongs.size < 3) {
      const at = draw.integer(common);
      wrongs.add(frequent.map((word, k) => (k === at ? draw.pick(rare) : word)).sort().join(", "));
    }
    return {
      prompt: `${list.join(" ")}\nThe ${common} most common words in alphabetical order:`,
      target: frequent.join(", "),
      distractors: [...wrongs],
      identity: `${frequent.join(" ")} | ${rare.join(" ")}`,
      meta: { words: list.length, common, often, seldom },
      parts: { values: frequent, separator: ", ", kind: "set" },
    };
  },
});
