import { type ExampleKnobs, exampleTask, mutate } from "../examples.ts";
import { pseudoWords } from "../vocabulary.ts";

type SortKnobs = ExampleKnobs & {
  words: number;
  syllables: number;
  /** All words share their first syllables and differ in the last only. */
  similar: boolean;
};

/** Words in alphabetical order: `zol tam bir ->` continues `bir tam zol`. */
export const wordSorting = exampleTask<SortKnobs>({
  id: "wordSorting",
  version: 2,
  earlier: [{ version: 1, privateApart: false }],
  title: "Word sorting",
  group: "reasoning",
  instruction: "Sort the words.",
  levels: {
    tiny: { words: 4, syllables: 1, similar: false, shots: 3 },
    small: { words: 6, syllables: 2, similar: false, shots: 3 },
    paper: { words: 10, syllables: 2, similar: false, shots: 3 },
    large: { words: 30, syllables: 3, similar: true, shots: 3 },
  },
  make({ words, syllables, similar }, draw) {
    const stem = similar && syllables > 1 ? pseudoWords(draw, 1, syllables - 1)[0] : "";
    const list = pseudoWords(draw, words, stem === "" ? syllables : 1).map((word) => stem + word);
    const sorted = [...list].sort();
    return { question: `${list.join(" ")} ->`, answer: sorted.join(" "), wrong: () => mutate(draw, sorted, list).join(" ") };
  },
});
