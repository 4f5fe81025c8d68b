/** A token at its place in the sequences that share it, with what is asked after it. */
export interface PrefixTree {
  /** Nodes in depth-first order: a node whose position is one more than that of the node before it is its child. */
  numNodes: number;
  tokens: Int32Array;
  positions: Int32Array;
  /** Questions about node i are `asked[firstAsked[i]]` up to `asked[firstAsked[i + 1]]`. */
  firstAsked: Int32Array;
  asked: Int32Array;
}

/** Indices of sequences in the order of their tokens, so that neighbours share the longest beginnings. */
export function sortedByTokens(sequences: readonly ArrayLike<number>[]): number[] {
  return sequences
    .map((_, i) => i)
    .sort((i, j) => {
      const [a, b] = [sequences[i]!, sequences[j]!];
      const shared = commonPrefix(a, b);
      return (a[shared] ?? -1) - (b[shared] ?? -1) || i - j;
    });
}

/** How many first tokens of two sequences are the same. */
export function commonPrefix(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const most = Math.min(a.length, b.length);
  let n = 0;
  while (n < most && a[n] === b[n]) n++;
  return n;
}

/**
 * Sequences as a tree in which a common beginning is there once.
 *
 * @param lengths    how many tokens of each sequence are fed to the model; the rest is only predicted
 * @param questions  calls `ask(position)` for each position of sequence i after which something is asked; questions are
 *   numbered in the order of the sequences
 */
export function prefixTree(
  sequences: readonly ArrayLike<number>[],
  lengths: readonly number[],
  questions: (i: number, ask: (position: number) => void) => void,
): PrefixTree {
  const fed = sequences.map((tokens, i) => Array.prototype.slice.call(tokens, 0, lengths[i]) as number[]);
  const tokens: number[] = [];
  const positions: number[] = [];
  const nodeOfQuestion: number[] = [];
  const questionsOf = new Map<number, number[]>();
  let numQuestions = 0;
  sequences.forEach((_, i) => questions(i, (position) => void push(questionsOf, i, position)));
  const firstOf = new Map<number, number>();
  sequences.forEach((_, i) => {
    firstOf.set(i, numQuestions);
    numQuestions += questionsOf.get(i)?.length ?? 0;
  });

  const path: number[] = [];
  let before: ArrayLike<number> = [];
  for (const i of sortedByTokens(fed)) {
    const sequence = fed[i]!;
    for (let n = commonPrefix(before, sequence); n < sequence.length; n++) {
      path[n] = tokens.length;
      tokens.push(sequence[n]!);
      positions.push(n);
    }
    questionsOf.get(i)?.forEach((position, k) => (nodeOfQuestion[firstOf.get(i)! + k] = path[position]!));
    before = sequence;
  }
  return { numNodes: tokens.length, tokens: Int32Array.from(tokens), positions: Int32Array.from(positions), ...byNode(nodeOfQuestion, tokens.length) };
}

function push(lists: Map<number, number[]>, key: number, value: number): void {
  const list = lists.get(key);
  if (list) list.push(value);
  else lists.set(key, [value]);
}

/** Questions sorted by their node. */
function byNode(nodeOfQuestion: readonly number[], numNodes: number): Pick<PrefixTree, "firstAsked" | "asked"> {
  const firstAsked = new Int32Array(numNodes + 1);
  for (const node of nodeOfQuestion) firstAsked[node + 1]!++;
  for (let node = 0; node < numNodes; node++) firstAsked[node + 1]! += firstAsked[node]!;
  const next = firstAsked.slice();
  const asked = new Int32Array(nodeOfQuestion.length);
  nodeOfQuestion.forEach((node, question) => (asked[next[node]!++] = question));
  return { firstAsked, asked };
}
