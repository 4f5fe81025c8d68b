import { type ExampleKnobs, exampleTask, stepExample } from "../examples.ts";

type WalkKnobs = ExampleKnobs & { steps: number; /** Longest single move. */ stride: number };

const DIRECTIONS = { N: [0, 1], E: [1, 0], S: [0, -1], W: [-1, 0] } as const;

/** A walk on a grid, step by step: `0 0: N2 E1 ->` continues `0 2, 1 2` (east, north). */
export const walkSteps = exampleTask<WalkKnobs>({
  id: "walkSteps",
  version: 2,
  earlier: [{ version: 1, privateApart: false }],
  title: "Walk on a grid, step by step",
  group: "step-wise procedures",
  levels: {
    tiny: { steps: 3, stride: 3, shots: 2 },
    small: { steps: 5, stride: 4, shots: 2 },
    paper: { steps: 10, stride: 9, shots: 2 },
    large: { steps: 25, stride: 20, shots: 2 },
  },
  make({ steps, stride }, draw) {
    let [x, y] = [draw.between(0, 9), draw.between(0, 9)];
    const start = `${x} ${y}`;
    const moves: string[] = [];
    const places = Array.from({ length: steps }, () => {
      const direction = draw.pick(["N", "E", "S", "W"] as const);
      const length = draw.between(1, stride);
      x += DIRECTIONS[direction][0] * length;
      y += DIRECTIONS[direction][1] * length;
      moves.push(`${direction}${length}`);
      return `${x} ${y}`;
    });
    const change = (place: string) => {
      const [east, north] = place.split(" ").map(Number);
      return draw.integer(2) === 0 ? `${east + draw.pick([-1, 1])} ${north}` : `${east} ${north + draw.pick([-1, 1])}`;
    };
    return stepExample(`${start}: ${moves.join(" ")} ->`, places, ", ", change, draw);
  },
});
