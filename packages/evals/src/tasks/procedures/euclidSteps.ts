import { type ExampleKnobs, exampleTask, nearNumber, stepExample } from "../examples.ts";

type EuclidKnobs = ExampleKnobs & { largest: number; /** Fewest and most divisions. */ minSteps: number; maxSteps: number };

/**
 * Euclid's algorithm, step by step: each remainder of dividing the last two numbers, down to 0.
 * `84 mod 36 ->` continues `12, 0`.
 */
export const euclidSteps = exampleTask<EuclidKnobs>({
  id: "euclidSteps",
  version: 2,
  earlier: [{ version: 1, privateApart: false }],
  title: "Euclid's algorithm, step by step",
  group: "step-wise procedures",
  levels: {
    tiny: { largest: 400, minSteps: 2, maxSteps: 4, shots: 2 },
    small: { largest: 900, minSteps: 3, maxSteps: 5, shots: 2 },
    paper: { largest: 2000, minSteps: 5, maxSteps: 8, shots: 2 },
    large: { largest: 1_000_000, minSteps: 9, maxSteps: 16, shots: 2 },
  },
  make({ largest, minSteps, maxSteps }, draw) {
    for (;;) {
      const high = draw.between(2, largest);
      const low = draw.between(1, high - 1);
      const remainders: number[] = [];
      for (let [a, b] = [high, low]; b > 0; [a, b] = [b, a % b]) remainders.push(a % b);
      if (remainders.length < minSteps || remainders.length > maxSteps) continue;
      return stepExample(`${high} mod ${low} ->`, remainders.map(String), ", ", (step) => String(nearNumber(draw, Number(step))), draw);
    }
  },
});
