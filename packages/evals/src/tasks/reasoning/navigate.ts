import { type ExampleKnobs, exampleTask } from "../examples.ts";

type NavigateKnobs = ExampleKnobs & { /** Moves there; as many lead back. */ moves: number; stride: number };

const OPPOSITE = { north: "south", south: "north", east: "west", west: "east" } as const;
type Direction = keyof typeof OPPOSITE;

/** Whether a walk ends where it began: `2 north. 1 east. 2 south. 1 west.` continues `yes`. */
export const navigate = exampleTask<NavigateKnobs>({
  id: "navigate",
  version: 2,
  earlier: [{ version: 1, privateApart: false }],
  title: "Navigate",
  group: "reasoning",
  instruction: "Back at the start?",
  levels: {
    tiny: { moves: 2, stride: 9, shots: 2 },
    small: { moves: 3, stride: 9, shots: 3 },
    paper: { moves: 5, stride: 9, shots: 3 },
    large: { moves: 20, stride: 20, shots: 3 },
  },
  choices: () => 2,
  guess: () => 1 / 2,
  make({ moves, stride }, draw) {
    const there = Array.from({ length: moves }, () => ({ steps: draw.between(1, stride), direction: draw.pick(Object.keys(OPPOSITE) as Direction[]) }));
    const all = draw.shuffle([...there, ...there.map(({ steps, direction }) => ({ steps, direction: OPPOSITE[direction] }))]);
    const back = draw.integer(2) === 1;
    if (!back) {
      // One move of another length: whatever the others are, the walk ends elsewhere.
      const changed = draw.integer(all.length);
      let steps = draw.between(1, stride - 1);
      if (steps >= all[changed].steps) steps++;
      all[changed] = { ...all[changed], steps };
    }
    return {
      question: `${all.map(({ steps, direction }) => `${steps} ${direction}.`).join(" ")} ->`,
      answer: back ? "yes" : "no",
      wrong: ["yes", "no"],
    };
  },
});
