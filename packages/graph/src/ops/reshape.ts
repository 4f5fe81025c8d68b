import { ShapeError } from "@espalier/core";
import type { Tensor } from "../graph.ts";
import { elements, showShape } from "../shapes.ts";

/** The only node that is not an op: planning turns it into a second name for the same storage. */
export const RESHAPE = "reshape";

/**
 * The same values under another shape: `[B, T, N*D]` as `[B, T, N, D]`. Costs nothing.
 *
 * @param x  an intermediate. Parameters and runtime inputs are declared with the shape that they are used in
 * @throws {ShapeError} when the number of elements differs, or x is owned or a runtime input
 */
export function reshape(x: Tensor, shape: readonly number[]): Tensor {
  if (elements(shape) !== elements(x.shape)) {
    throw new ShapeError(
      `reshape: shape: ${showShape(shape)} has ${elements(shape)} elements, expected ${elements(x.shape)} as in ` +
        `${showShape(x.shape)}. Only the grouping may change.`,
    );
  }
  if (x.region === "owned" || x.region === "runtime") {
    throw new ShapeError(
      `reshape: x: '${x.name}' is of region ${x.region}, expected an intermediate. ` +
        "Declare it with the shape that it is used in.",
    );
  }
  const type = { shape: [...shape], dtype: x.dtype };
  return x.graph.append({ op: RESHAPE, inputs: [x.id], attributes: {} }, [type])[0];
}
