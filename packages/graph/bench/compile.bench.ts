/**
 * Time to compile a training step of 12 gated FLM layers (780 nodes), which every growth event pays once: trace,
 * differentiate, fuse, plan, in ms.
 *
 * `node --conditions=@espalier/source bench/compile.bench.ts`: the first time in a fresh process, then the median and
 * the slowest of 30.
 */
import { differentiate, fuse, Graph, plan } from "../src/index.ts";
import { transformer } from "../src/testing/transformer.ts";

const shape = { family: "flm", B: 8, T: 256, C: 256, H: 1024, V: 4096, N: 8, G: 8, L: 12, gated: true } as const;

const graph = () => {
  const g = new Graph();
  const { loss, wrt } = transformer(g, shape);
  g.output("loss", loss);
  return { g, loss, wrt };
};

function compile(): Record<string, number> {
  const times = [performance.now()];
  const { g, loss, wrt } = graph();
  times.push(performance.now());
  differentiate({ loss, wrt });
  times.push(performance.now());
  const fused = fuse(g);
  times.push(performance.now());
  plan(fused);
  times.push(performance.now());
  const [trace, differentiation, fusion, planning] = times.slice(1).map((time, i) => time - times[i]);
  return { trace, differentiate: differentiation, fuse: fusion, plan: planning, all: times[4] - times[0] };
}

const first = compile();
const rounds = Array.from({ length: 30 }, compile);
for (const step of Object.keys(first)) {
  const sorted = rounds.map((round) => round[step]).toSorted((a, b) => a - b);
  console.log(`${step.padEnd(14)} first ${first[step].toFixed(1)}  median ${sorted[15].toFixed(1)}  slowest ${sorted[29].toFixed(1)} ms`);
}
