import { random } from "@espalier/core";
import { describe, expect, it } from "vitest";
import { commonPrefix, prefixTree, sortedByTokens } from "./prefixTree.ts";

describe("prefixTree", () => {
  it("has a common beginning once, and the questions where they were asked", () => {
    const sequences = [[1, 2, 3], [1, 2, 4], [1, 2], [5]];
    const tree = prefixTree(sequences, [3, 3, 2, 1], (i, ask) => ask(sequences[i]!.length - 1));
    expect([...tree.tokens]).toEqual([1, 2, 3, 4, 5]);
    expect([...tree.positions]).toEqual([0, 1, 2, 2, 0]);
    expect([...tree.firstAsked]).toEqual([0, 0, 1, 2, 3, 4]);
    expect([...tree.asked]).toEqual([2, 0, 1, 3]);
  });

  it("has a node for every distinct beginning, whatever the sequences", () => {
    const stream = random(3, "trees");
    let at = 0;
    const draw = (below: number) => stream.integer(at++, below);
    for (let round = 0; round < 200; round++) {
      const sequences = Array.from({ length: draw(12) }, () => Array.from({ length: draw(7) }, () => draw(3)));
      const lengths = sequences.map(({ length }) => (length === 0 ? 0 : draw(length + 1)));
      const asks = lengths.map((length) => Array.from({ length }, (_, n) => n).filter(() => draw(2) === 1));
      const tree = prefixTree(sequences, lengths, (i, ask) => asks[i]!.forEach(ask));
      const beginnings = new Set(sequences.flatMap((tokens, i) => Array.from({ length: lengths[i]! }, (_, n) => tokens.slice(0, n + 1).join())));
      const path: number[] = [];
      const found: string[] = [];
      const answers = new Map<number, string>();
      for (let node = 0; node < tree.numNodes; node++) {
        path.splice(tree.positions[node]!, Infinity, tree.tokens[node]!);
        found.push(path.join());
        for (let q = tree.firstAsked[node]!; q < tree.firstAsked[node + 1]!; q++) answers.set(tree.asked[q]!, path.join());
      }
      expect(found.length).toBe(beginnings.size);
      expect(new Set(found)).toEqual(beginnings);
      const expected = sequences.flatMap((tokens, i) => asks[i]!.map((n) => tokens.slice(0, n + 1).join()));
      expect(expected.map((_, question) => answers.get(question))).toEqual(expected);
    }
  });

  it("sorts by tokens, a beginning before what continues it, equals in their order", () => {
    expect(sortedByTokens([[2], [1, 3], [1], [], [1, 3], [10]])).toEqual([3, 2, 1, 4, 0, 5]);
    expect(commonPrefix([1, 2, 3], [1, 2])).toBe(2);
  });
});
