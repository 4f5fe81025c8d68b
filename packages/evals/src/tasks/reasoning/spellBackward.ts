import { type ExampleKnobs, exampleTask, mutate } from "../examples.ts";
import { LOWER, pseudoWords } from "../vocabulary.ts";

type SpellKnobs = ExampleKnobs & { syllables: number };

/** A word spelled backwards: `tamzol ->` continues `lozmat`. */
export const spellBackward = exampleTask<SpellKnobs>({
  id: "spellBackward",
  version: 2,
  earlier: [{ version: 1, privateApart: false }],
  title: "Spell backward",
  group: "reasoning",
  instruction: "Spell backward.",
  levels: {
    tiny: { syllables: 2, shots: 3 },
    small: { syllables: 3, shots: 3 },
    paper: { syllables: 4, shots: 3 },
    large: { syllables: 12, shots: 3 },
  },
  make({ syllables }, draw) {
    const [word] = pseudoWords(draw, 1, syllables);
    const backward = [...word].reverse();
    return { question: `${word} ->`, answer: backward.join(""), wrong: () => mutate(draw, backward, LOWER).join("") };
  },
});
