import { defineTask, type Knobs } from "../task.ts";
import { pseudoWords } from "../vocabulary.ts";
import { haystack, nonsense } from "./haystack.ts";

type TrackingKnobs = Knobs & {
  /** Code points of the text. */
  length: number;
  /** Chains of assignments with a number each; one is asked. */
  chains: number;
  /** Assignments from name to name in a chain, so that it has one name more. */
  hops: number;
  digits: number;
};

/**
 * Variable tracking: `set tam = 12`, `set zol = tam`, ... in a text, several chains mixed; all names that hold a number are
 * asked in the order of the text.
 *
 * @see Hsieh et al. 2024, RULER, arXiv:2404.06654; wording ours
 */
export const variableTracking = defineTask<TrackingKnobs>({
  id: "variableTracking",
  version: 2,
  earlier: [{ version: 1, privateApart: false }],
  title: "Variable tracking",
  group: "retrieval by length",
  paperItems: 100,
  levels: {
    tiny: { length: 120, chains: 2, hops: 1, digits: 2 },
    small: { length: 500, chains: 2, hops: 2, digits: 3 },
    paper: { length: 4000, chains: 2, hops: 4, digits: 5 },
    large: { length: 16000, chains: 4, hops: 8, digits: 5 },
  },
  chance: () => ({ exactMatch: 0, likelihood: 1 / 4 }),
  build({ length, chains, hops, digits }, draw) {
    const { names, facts, asked, order } = draw.example(
      () => {
        const drawn = pseudoWords(draw, chains * (hops + 1), 1);
        const numbers = new Set<number>();
        while (numbers.size < chains) numbers.add(draw.between(10 ** (digits - 1), 10 ** digits - 1));
        const values = [...numbers];
        const queues = values.map((value, c) =>
          drawn.slice(c * (hops + 1), (c + 1) * (hops + 1)).map((name, h, chain) => ({ name, chain: c, text: `set ${name} = ${h === 0 ? value : chain[h - 1]}.` })),
        );
        // Chains are mixed; within a chain the order stays.
        const turns = draw.shuffle(queues.flatMap((queue, c) => queue.map(() => c)));
        const mixed = turns.map((c) => queues[c].shift()!);
        return { names: drawn, facts: mixed.map(({ text }) => text), asked: values[draw.integer(chains)], order: mixed, values };
      },
      ({ facts, asked }) => `${facts.join(" ")} ${asked}`,
    );
    const chain = order.find(({ text }) => text.endsWith(`= ${asked}.`))!.chain;
    const answers = order.filter((step) => step.chain === chain).map(({ name }) => name);
    const { text } = haystack(draw, { facts, length, filler: nonsense });
    const others = names.filter((name) => !answers.includes(name));
    const wrongs = new Set<string>();
    while (wrongs.size < 3) {
      const at = draw.integer(answers.length);
      const list = answers.map((name, k) => (k === at ? draw.pick(others) : name));
      wrongs.add((draw.integer(3) === 0 ? [...list].reverse() : list).join(", "));
    }
    return {
      prompt: `${text}\nThese hold ${asked}:`,
      target: answers.join(", "),
      distractors: [...wrongs],
      identity: `${facts.join(" ")} ${asked}`,
      meta: { chains, hops, length },
      parts: { values: answers, separator: ", ", kind: "set" },
    };
  },
});
