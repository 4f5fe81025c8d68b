import type { PrefixTree } from "./prefixTree.ts";
import type { RowEngine } from "./rowEngine.ts";

/** A kept hidden state and a question about it. */
export interface Asked {
  row: number;
  question: number;
}

/**
 * Runs a tree through the engine, each node once, and hands out the kept hidden states that questions are about.
 *
 * @param answer  called with questions whose hidden states are valid until it resolves, about 256 at a time
 */
export async function walk(engine: RowEngine, tree: PrefixTree, answer: (asked: readonly Asked[]) => Promise<void>): Promise<void> {
  const { tokens, positions, firstAsked, asked } = tree;
  const path = new Int32Array(engine.model.config.seqLen);
  const sequence = new Int32Array(path.length);
  let length = 0;
  let waiting: Asked[] = [];
  let numHidden = 0;
  const send = async (atEnd: boolean) => {
    await engine.flush();
    if (waiting.length === 0 || !(atEnd || waiting.length >= 256 || numHidden > engine.cache.hiddenRows / 2)) return;
    await answer(waiting);
    waiting = [];
    numHidden = 0;
  };
  try {
    for (let node = 0; node < tree.numNodes; ) {
      const first = positions[node]!;
      engine.release(path, first, length);
      length = first;
      const room = Math.min(engine.room(first), engine.cache.hiddenRows - numHidden);
      // Nodes that follow each other in one sequence go in together.
      let end = node;
      while (end < tree.numNodes && end - node < room && positions[end] === first + end - node) {
        const row = engine.take();
        if (row === undefined) break;
        path[length] = row;
        sequence[length++] = tokens[end++]!;
      }
      if (end === node) {
        await send(false);
        continue;
      }
      engine.add(sequence, path, first, end - node, (position) => {
        const at = node + position - first;
        if (firstAsked[at] === firstAsked[at + 1]) return -1;
        for (let q = firstAsked[at]!; q < firstAsked[at + 1]!; q++) waiting.push({ row: numHidden, question: asked[q]! });
        return numHidden++;
      });
      node = end;
    }
    await send(true);
  } finally {
    engine.release(path, 0, length);
    engine.discard();
  }
}
