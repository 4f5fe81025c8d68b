import type { Tensor } from "../graph.ts";
import { elements, expectFloats, expectInputs, f32, lastAxis } from "../shapes.ts";
import { type GradientTarget, type OpDefinition, fresh, record, withFlag, withoutFlag } from "./definition.ts";

export const columnSumOp: OpDefinition = {
  name: "columnSum",
  attributes: ["accumulate"],
  infer(inputs, attributes) {
    const plain = withoutFlag("columnSum", inputs, attributes);
    expectInputs("columnSum", plain, 1);
    expectFloats("columnSum", { dy: plain[0] });
    return [f32([lastAxis(plain[0].shape)])];
  },
  flops: (inputs) => elements(inputs[0].shape),
};

/**
 * Sum over all rows: `d[n] = sum_r dy[r, n]`, the gradient of a bias.
 *
 * @param dy  `[..., N]`
 * @param target  where the sum `[N]` is written; a fresh tensor by default
 */
export function columnSum(dy: Tensor, target: GradientTarget = fresh): Tensor {
  return record(columnSumOp, withFlag([dy], target), { accumulate: target.accumulate }, [target.tensor])[0];
}
