import { type ExampleKnobs, exampleTask, nearNumber, stepExample } from "../examples.ts";

type TotalKnobs = ExampleKnobs & {
  steps: number;
  /** Start and amounts are drawn up to this number. */
  largest: number;
};

/** Running total: `12: +3 -1 +7 ->` continues `15, 14, 21`. Totals never fall below zero. */
export const runningTotal = exampleTask<TotalKnobs>({
  id: "runningTotal",
  version: 2,
  earlier: [{ version: 1, privateApart: false }],
  title: "Running total, step by step",
  group: "step-wise procedures",
  levels: {
    tiny: { steps: 3, largest: 9, shots: 2 },
    small: { steps: 5, largest: 20, shots: 2 },
    paper: { steps: 10, largest: 99, shots: 2 },
    large: { steps: 25, largest: 999, shots: 2 },
  },
  make({ steps, largest }, draw) {
    const start = draw.between(1, largest);
    const totals: number[] = [];
    const moves: string[] = [];
    for (let total = start; totals.length < steps; ) {
      const amount = draw.between(1, largest);
      const down = amount <= total && draw.integer(2) === 0;
      total += down ? -amount : amount;
      moves.push(`${down ? "-" : "+"}${amount}`);
      totals.push(total);
    }
    return stepExample(`${start}: ${moves.join(" ")} ->`, totals.map(String), ", ", (step) => String(nearNumber(draw, Number(step))), draw);
  },
});
