import { type ExampleKnobs, exampleTask, mutate } from "../examples.ts";
import { LOWER, pseudoWords } from "../vocabulary.ts";

type CipherKnobs = ExampleKnobs & { syllables: number; /** Largest shift. */ shift: number };

/** Every letter moved along the alphabet, z before a: `tam +1 ->` continues `ubn`. */
export const caesarCipher = exampleTask<CipherKnobs>({
  id: "caesarCipher",
  version: 2,
  earlier: [{ version: 1, privateApart: false }],
  title: "Caesar cipher",
  group: "reasoning",
  instruction: "Shift the letters.",
  levels: {
    tiny: { syllables: 2, shift: 3, shots: 4 },
    small: { syllables: 3, shift: 5, shots: 4 },
    paper: { syllables: 4, shift: 25, shots: 4 },
    large: { syllables: 12, shift: 25, shots: 4 },
  },
  make({ syllables, shift }, draw) {
    const [word] = pseudoWords(draw, 1, syllables);
    const by = draw.between(1, shift);
    const shifted = [...word].map((letter) => LOWER[(LOWER.indexOf(letter) + by) % 26]);
    return { question: `${word} +${by} ->`, answer: shifted.join(""), wrong: () => mutate(draw, shifted, LOWER).join("") };
  },
});
