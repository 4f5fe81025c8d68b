import { ConfigError } from "@espalier/core";
import { defineTask, type Draw } from "./task.ts";
import { pseudoWords } from "./vocabulary.ts";

type RetrievalKnobs = {
  keys: number;
  /** Sentences of filler. */
  filler: number;
  /** Digits of each pass key. */
  digits: number;
  /** `noise`: sentences about nothing; `keys`: sentences of the same form that name a code instead of a key. */
  fillerKind: string;
  /** All names differ in their last syllable only. */
  similar: boolean;
  /** Where the asked key stands among the sentences, in percent; -1: anywhere. */
  depth: number;
};

function fillerSentence(kind: string, draw: Draw, digits: number): string {
  if (kind === "keys") return `The code of ${pseudoWords(draw, 1, 2)[0]} is ${numberOf(draw, digits)}.`;
  const [a, b] = pseudoWords(draw, 2, 1);
  return draw.pick([`The ${a} is ${b}.`, `A ${a} has no ${b}.`, `Every ${a} likes ${b}.`]);
}

const numberOf = (draw: Draw, digits: number) => String(draw.between(10 ** (digits - 1), 10 ** digits - 1));

/**
 * Multiple Key Retrieval: named pass keys stand in filler text, and the question asks for one of them.
 * The distractors are the other keys.
 *
 * @see arXiv 2309.03852, anti-interference; Mohtashami & Jaggi 2023, arXiv 2305.16300, for the pass-key form; wording ours
 */
export const multipleKeyRetrieval = defineTask<RetrievalKnobs>({
  id: "multipleKeyRetrieval",
  version: 2,
  earlier: [{ version: 1, privateApart: false }],
  title: "Multiple Key Retrieval",
  group: "anti-interference",
  paperItems: 300,
  levels: {
    tiny: { keys: 3, filler: 1, digits: 2, fillerKind: "noise", similar: false, depth: -1 },
    small: { keys: 4, filler: 8, digits: 3, fillerKind: "noise", similar: false, depth: -1 },
    paper: { keys: 3, filler: 60, digits: 5, fillerKind: "noise", similar: false, depth: -1 },
    large: { keys: 8, filler: 300, digits: 5, fillerKind: "keys", similar: true, depth: -1 },
  },
  chance: ({ keys }) => ({ exactMatch: 1 / keys, likelihood: 1 / keys }),
  build({ keys, filler, digits, fillerKind, similar, depth }, draw) {
    if (keys > 9 * 10 ** (digits - 1)) {
      throw new ConfigError(`multipleKeyRetrieval: ${keys} distinct keys need more than ${digits} digits. Raise digits.`);
    }
    return draw.example(
      () => {
        const stem = similar ? pseudoWords(draw, 1, 1)[0] : "";
        const names = pseudoWords(draw, keys, 1).map((word) => stem + word);
        const values = new Set<string>();
        while (values.size < keys) values.add(numberOf(draw, digits));
        const numbers = [...values];
        const asked = draw.integer(keys);
        const others = draw.shuffle([
          ...names.map((name, k) => `The key of ${name} is ${numbers[k]}.`).filter((_, k) => k !== asked),
          ...Array.from({ length: filler }, () => fillerSentence(fillerKind, draw, digits)),
        ]);
        const position = depth < 0 ? draw.integer(others.length + 1) : Math.round((others.length * depth) / 100);
        others.splice(position, 0, `The key of ${names[asked]} is ${numbers[asked]}.`);
        const prompt = `${others.join(" ")}\nThe key of ${names[asked]} is`;
        return {
          prompt,
          target: numbers[asked],
          distractors: numbers.filter((_, k) => k !== asked),
          identity: prompt,
          meta: { keys, filler, depth: others.length === 1 ? 0 : Math.round((100 * position) / (others.length - 1)) },
        };
      },
      ({ prompt }) => prompt,
    );
  },
});
