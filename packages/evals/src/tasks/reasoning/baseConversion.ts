import { type ExampleKnobs, exampleTask, nearNumber } from "../examples.ts";

type BaseKnobs = ExampleKnobs & { largest: number; /** Largest base. */ maxBase: number };

/** A number in another base: `1011 base 2 to 10:` continues `11`. */
export const baseConversion = exampleTask<BaseKnobs>({
  id: "baseConversion",
  version: 2,
  earlier: [{ version: 1, privateApart: false }],
  title: "Base conversion",
  group: "reasoning",
  levels: {
    tiny: { largest: 255, maxBase: 10, shots: 4 },
    small: { largest: 999, maxBase: 16, shots: 4 },
    paper: { largest: 9999, maxBase: 16, shots: 4 },
    large: { largest: 1_000_000_000, maxBase: 36, shots: 4 },
  },
  make({ largest, maxBase }, draw) {
    const number = draw.between(2, largest);
    const from = draw.between(2, maxBase);
    let to = draw.between(2, maxBase - 1);
    if (to >= from) to++;
    return {
      question: `${number.toString(from)} base ${from} to ${to}:`,
      answer: number.toString(to),
      wrong: () => nearNumber(draw, number, 1).toString(to),
    };
  },
});
