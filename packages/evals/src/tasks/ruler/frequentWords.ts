import { ConfigError } from "@espalier/core";
import { defineTask, type Knobs } from "../task.ts";
import { pseudoWords } from "../vocabulary.ts";

type FrequentKnobs = Knobs & {
  /** Words of the text, repetitions counted. */
  words: number;
  /** Different words. */
  vocabulary: number;
  /** Words asked. */
  top: number;
};

/**
 * Frequent words: words drawn with a probability in proportion to 1 / rank^2; the most frequent are asked, the most
 * frequent first. Texts in which two of the asked ranks tie are drawn again.
 *
 * @see Hsieh et al. 2024, RULER, arXiv:2404.06654 (zeta distribution with exponent 2); wording ours
 */
export const frequentWords = defineTask<FrequentKnobs>({
  id: "frequentWords",
  version: 2,
  earlier: [{ version: 1, privateApart: false }],
  title: "Frequent words",
  group: "retrieval by length",
  paperItems: 100,
  levels: {
    tiny: { words: 24, vocabulary: 8, top: 2 },
    small: { words: 80, vocabulary: 20, top: 3 },
    paper: { words: 700, vocabulary: 200, top: 3 },
    large: { words: 3000, vocabulary: 290, top: 3 },
  },
  chance: () => ({ exactMatch: 0, likelihood: 1 / 4 }),
  build({ words, vocabulary, top }, draw) {
    if (vocabulary < top + 4) throw new ConfigError(`frequentWords: vocabulary is ${vocabulary}, expected at least ${top + 4} for ${top} asked words. Raise it.`);
    const shares = Array.from({ length: vocabulary }, (_, rank) => 1 / ((rank + 1) * (rank + 1)));
    let total = 0;
    const bounds = shares.map((share) => (total += share));
    const { text, ranked } = draw.example(
      () => {
        for (;;) {
          const all = pseudoWords(draw, vocabulary, 1);
          const counts = new Map<string, number>();
          const drawn = Array.from({ length: words }, () => {
            const at = draw.uniform() * total;
            const word = all[bounds.findIndex((bound) => at < bound)];
            counts.set(word, (counts.get(word) ?? 0) + 1);
            return word;
          });
          const order = [...counts].sort((a, b) => b[1] - a[1]);
          if (order.length < top + 4) continue;
          if (order.slice(0, top).some(([, count], k) => count === order[k + 1][1])) continue; // a tie
          return { text: drawn.join(" "), ranked: order.map(([word]) => word) };
        }
      },
      (drawn) => drawn.text,
    );
    const answers = ranked.slice(0, top);
    const wrongs = new Set<string>();
    while (wrongs.size < 3) {
      const at = draw.integer(top);
      wrongs.add(answers.map((word, k) => (k === at ? draw.pick(ranked.slice(top, top + 4)) : word)).join(", "));
    }
    return {
      prompt: `${text}\nThe ${top} most frequent words, most frequent first:`,
      target: answers.join(", "),
      distractors: [...wrongs],
      identity: text,
      meta: { words, vocabulary, top },
      parts: { values: answers, separator: ", ", kind: "set" },
    };
  },
});
