/** Solvers of the reasoning families about people, graphs and walks, each in another way than its generator. */

const query = (prompt: string): string => prompt.slice(prompt.lastIndexOf("\n") + 1).replace(/ ->$/, "");

function familyRelationships(prompt: string): string {
  const text = query(prompt);
  const parentOf: Record<string, string> = {};
  const man: Record<string, boolean> = {};
  for (const [, a, role, b] of text.matchAll(/(\w+) is the (mother|father|daughter|son) of (\w+)\./g)) {
    if (role === "mother" || role === "father") parentOf[b] = a;
    else parentOf[a] = b;
    man[a] = role === "father" || role === "son";
  }
  const [, first, second] = /(\w+) is to (\w+) the$/.exec(text)!;
  const ancestors = (name: string): string[] => (parentOf[name] === undefined ? [name] : [name, ...ancestors(parentOf[name])]);
  const [mine, others] = [ancestors(first), ancestors(second)];
  const common = mine.find((name) => others.includes(name))!;
  const words: Record<string, [string, string]> = {
    "1 1": ["sister", "brother"],
    "0 2": ["grandmother", "grandfather"],
    "2 0": ["granddaughter", "grandson"],
    "1 2": ["aunt", "uncle"],
    "2 1": ["niece", "nephew"],
    "0 3": ["great-grandmother", "great-grandfather"],
  };
  return words[`${mine.indexOf(common)} ${others.indexOf(common)}`][man[first] ? 1 : 0];
}

function shortestPath(prompt: string): string {
  const [listed, ends] = query(prompt).split(": ");
  const [from, to] = ends.split(" to ");
  const edges = new Set(listed.split(" ").flatMap((edge) => [edge, `${edge[2]}-${edge[0]}`]));
  const nodes = [...new Set([...edges].map((edge) => edge[0]))];
  // Iterative deepening over all walks: the first length that arrives, and every way of that length.
  for (let frontier = [[from]]; frontier.length > 0; ) {
    const arrived = frontier.filter((path) => path.at(-1) === to);
    if (arrived.length > 0) return arrived.map((path) => path.join(" ")).join(" or ");
    frontier = frontier.flatMap((path) => nodes.filter((node) => edges.has(`${path.at(-1)}-${node}`) && !path.includes(node)).map((node) => [...path, node]));
  }
  return "none";
}

function navigate(prompt: string): string {
  const total = (direction: string) => [...query(prompt).matchAll(new RegExp(`(\\d+) ${direction}`, "g"))].reduce((sum, [, n]) => sum + Number(n), 0);
  return total("north") === total("south") && total("east") === total("west") ? "yes" : "no";
}

function trackingShuffledObjects(prompt: string): string {
  const sentences = query(prompt).split(". ");
  let name = sentences.pop()!.split(" ")[0];
  // Backwards: who had the object before each swap.
  for (const sentence of sentences.reverse()) {
    const swap = /^(\w+) and (\w+) swap$/.exec(sentence);
    if (swap) name = name === swap[1] ? swap[2] : name === swap[2] ? swap[1] : name;
    const has = /^(\w+) has (\w+)$/.exec(sentence);
    if (has?.[1] === name) return has[2];
  }
  return "none";
}

export const worldSolvers = {
  familyRelationships,
  shortestPath,
  navigate,
  trackingShuffledObjects,
  coinFlip: (prompt: string): string => {
    const text = query(prompt);
    const flips = text.split(" flips ").length - 1;
    return (flips % 2 === 0) === text.startsWith("Heads") ? "heads" : "tails";
  },
};
