/**
 * Who may import whom, besides core (docs/architecture.md, "Packages and the direction of imports").
 * The one owner of this fact: ESLint checks it through nx, the package generator writes into it.
 */
export const importTable = {
  core: [],
  spec: [],
  graph: [],
  tokenizer: [],
  checkpoint: ["spec"],
  growth: ["spec"],
  kernels: ["graph", "kernels-cuda"],
  "kernels-cuda": [],
  cost: ["spec", "graph"],
  evals: ["spec", "tokenizer"],
  trainer: ["spec", "checkpoint", "tokenizer", "graph", "kernels", "growth"],
  reproduce: ["spec", "graph", "tokenizer", "checkpoint", "growth", "kernels", "trainer", "evals", "cost"],
  server: ["spec", "evals", "cost"],
  web: ["spec", "cost", "growth", "tokenizer"],
  cli: [
    "spec", "graph", "tokenizer", "checkpoint", "growth", "kernels", "trainer",
    "evals", "cost", "reproduce", "server", "web", "infra",
  ],
  infra: [],
};
