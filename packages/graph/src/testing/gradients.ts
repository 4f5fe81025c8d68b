import { differentiate } from "../differentiate.ts";
import { fuse } from "../fuse.ts";
import { Graph, type Tensor } from "../graph.ts";
import { linearCrossEntropy } from "../ops/linearCrossEntropy.ts";
import { elements } from "../shapes.ts";
import { type NamedValues, session } from "./run.ts";

/** A traced loss and the parameters to differentiate it by. */
export interface Traced {
  loss: Tensor;
  wrt: readonly Tensor[];
}

const HEAD_ROWS = 5;

/** A loss on top of any activations `[..., C]`: a head of its own, weighted targets. */
export function lossOn(y: Tensor): Tensor {
  const { graph } = y;
  const R = elements(y.shape.slice(0, -1));
  const head = graph.owned("head", [HEAD_ROWS, y.shape.at(-1)!]);
  return linearCrossEntropy(y, head, graph.runtime("targets", [R], "i32"), graph.runtime("weights", [R])).loss;
}

/** Runtime values for `lossOn` with R rows. */
export function lossInputs(R: number): NamedValues {
  return {
    targets: Array.from({ length: R }, (_, r) => (3 * r + 1) % HEAD_ROWS),
    weights: Array.from({ length: R }, (_, r) => 0.25 + 0.125 * (r % 4)),
  };
}

/**
 * Compares differentiated with numerical gradients in double precision, for the plain and for the fused graph.
 *
 * @returns  per parameter, max |a - b| / max |a| (the worse of the two graphs)
 */
export async function gradientErrors(
  trace: (graph: Graph) => Traced,
  runtime: NamedValues,
  owned: NamedValues = {},
): Promise<Record<string, number>> {
  const forward = new Graph();
  forward.output("loss", trace(forward).loss);
  const numeric = session(forward, owned);

  const graph = new Graph();
  const { loss, wrt } = trace(graph);
  graph.output("loss", loss);
  const gradients = differentiate({ loss, wrt });
  const analytic = [session(graph, owned), session(fuse(graph), owned)];
  for (const each of analytic) await each.run(runtime);

  const errors: Record<string, number> = {};
  for (const [name, gradient] of gradients) {
    const expected = await centralDifferences(numeric, name, runtime);
    errors[name] = Math.max(...analytic.map((each) => relativeError(each.read(gradient.name), expected)));
  }
  return errors;
}

/** max |a - b| / max |a|; infinite where a has a value that is not a number. */
export function relativeError(a: Float64Array, b: Float64Array): number {
  const largest = a.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
  const difference = a.reduce((max, value, i) => Math.max(max, Math.abs(value - b[i])), 0);
  return Number.isFinite(largest) && Number.isFinite(difference) ? difference / largest : Infinity;
}

/** Fourth-order central differences of the loss by each element of an owned tensor. Step 1e-3: error about 1e-12. */
async function centralDifferences(
  { run, read, write }: ReturnType<typeof session>,
  name: string,
  runtime: NamedValues,
): Promise<Float64Array> {
  const step = 1e-3;
  const values = read(name);
  const lossAt = async (i: number, shift: number) => {
    const moved = values.slice();
    moved[i] += shift;
    write(name, moved);
    return (await run(runtime)).loss[0];
  };
  const gradient = new Float64Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const near = (await lossAt(i, step)) - (await lossAt(i, -step));
    const far = (await lossAt(i, 2 * step)) - (await lossAt(i, -2 * step));
    gradient[i] = (8 * near - far) / (12 * step);
  }
  write(name, values);
  return gradient;
}
