import { type ExampleKnobs, exampleTask, mutate } from "../examples.ts";
import { LOWER } from "../vocabulary.ts";

type PathKnobs = ExampleKnobs & { /** At most 26. */ nodes: number; edges: number; /** Fewest nodes of the answer. */ minNodes: number };

/** For each node that is reached: its distance, the number of shortest ways, and the node before it on one of them. */
function search(nodes: readonly string[], edges: readonly (readonly [string, string])[], from: string): Map<string, { distance: number; ways: number; before: string }> {
  const neighbours = new Map(nodes.map((node) => [node, [] as string[]]));
  for (const [a, b] of edges) {
    neighbours.get(a)!.push(b);
    neighbours.get(b)!.push(a);
  }
  const reached = new Map([[from, { distance: 0, ways: 1, before: "" }]]);
  const queue = [from];
  for (const node of queue) {
    const { distance, ways } = reached.get(node)!;
    for (const next of neighbours.get(node)!) {
      const known = reached.get(next);
      if (known === undefined) {
        reached.set(next, { distance: distance + 1, ways, before: node });
        queue.push(next); // for ... of sees what is appended
      } else if (known.distance === distance + 1) known.ways += ways;
    }
  }
  return reached;
}

/** The only shortest way through a graph: `a-b b-c c-d b-d: a to c ->` continues `a b c`. Ends with several are passed over. */
export const shortestPath = exampleTask<PathKnobs>({
  id: "shortestPath",
  version: 2,
  earlier: [{ version: 1, privateApart: false }],
  title: "Shortest path",
  group: "reasoning",
  instruction: "Shortest path.",
  levels: {
    tiny: { nodes: 5, edges: 5, minNodes: 3, shots: 3 },
    small: { nodes: 7, edges: 9, minNodes: 3, shots: 3 },
    paper: { nodes: 12, edges: 18, minNodes: 4, shots: 3 },
    large: { nodes: 24, edges: 34, minNodes: 6, shots: 3 },
  },
  make({ nodes, edges, minNodes }, draw) {
    for (;;) {
      const names = draw.sample(LOWER, nodes);
      const pairs = names.flatMap((a, k) => names.slice(k + 1).map((b) => (draw.integer(2) === 0 ? ([a, b] as const) : ([b, a] as const))));
      const drawn = draw.sample(pairs, edges);
      const reached = search(names, drawn, names[0]);
      const ends = [...reached].filter(([, { distance, ways }]) => ways === 1 && distance + 1 >= minNodes);
      if (ends.length === 0) continue;
      const [to] = draw.pick(ends);
      const path: string[] = [];
      for (let node = to; node !== ""; node = reached.get(node)!.before) path.unshift(node);
      return {
        question: `${drawn.map(([a, b]) => `${a}-${b}`).join(" ")}: ${names[0]} to ${to} ->`,
        answer: path.join(" "),
        wrong: () => [path[0], ...mutate(draw, path.slice(1, -1), names), path.at(-1)!].join(" "),
        meta: { nodes: path.length },
      };
    }
  },
});
