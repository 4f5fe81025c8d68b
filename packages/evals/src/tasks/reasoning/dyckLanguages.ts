import { type ExampleKnobs, exampleTask, mutate } from "../examples.ts";

type DyckKnobs = ExampleKnobs & { length: number; /** Kinds of brackets, at most 4. */ kinds: number; /** Fewest brackets left open. */ minOpen: number };

const PAIRS = ["()", "[]", "{}", "<>"];

/** Brackets that are still open, closed in the right order: `( [ ] < ->` continues `> )`. */
export const dyckLanguages = exampleTask<DyckKnobs>({
  id: "dyckLanguages",
  version: 2,
  earlier: [{ version: 1, privateApart: false }],
  title: "Dyck languages",
  group: "reasoning",
  instruction: "Close the brackets.",
  levels: {
    tiny: { length: 10, kinds: 3, minOpen: 2, shots: 3 },
    small: { length: 12, kinds: 4, minOpen: 2, shots: 3 },
    paper: { length: 24, kinds: 4, minOpen: 3, shots: 3 },
    large: { length: 96, kinds: 4, minOpen: 6, shots: 3 },
  },
  make({ length, kinds, minOpen }, draw) {
    const pairs = PAIRS.slice(0, kinds);
    for (;;) {
      const open: string[] = [];
      const text = Array.from({ length }, () => {
        if (open.length > 0 && draw.integer(2) === 0) return open.pop()!;
        const pair = draw.pick(pairs);
        open.push(pair[1]);
        return pair[0];
      });
      if (open.length < minOpen) continue;
      const closing = [...open].reverse();
      return { question: `${text.join(" ")} ->`, answer: closing.join(" "), wrong: () => mutate(draw, closing, pairs.map((pair) => pair[1])).join(" ") };
    }
  },
});
