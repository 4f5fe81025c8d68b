import { elements, expectFloats, expectInputs, expectShape } from "../shapes.ts";
import type { OpDefinition } from "./definition.ts";

/**
 * A norm of a sum: inputs `a, b` in place of x, outputs those of the norm, then `sum = a + b`, which later layers read.
 * Fusion makes it of a differentiated graph, so it has no gradient of its own.
 */
export function withAddend(name: string, norm: OpDefinition): OpDefinition {
  const sum = norm.name === "layerNorm" ? 3 : 2; // behind y, mean, rstd or y, rstd
  return {
    name,
    attributes: norm.attributes,
    infer(inputs, attributes, declared) {
      expectInputs(name, inputs, 3, 5);
      const [a, b, ...rest] = inputs;
      expectFloats(name, { a, b });
      expectShape(`${name}: b`, b, a.shape, "It must have the shape of a.");
      return [...norm.infer([a, ...rest], attributes, declared), a];
    },
    inPlace: [[sum, 0], [sum, 1]],
    flops: ([a, b, ...rest], outputs, attributes) => norm.flops([a, ...rest], outputs, attributes) + elements(b.shape),
  };
}

/**
 * A norm's gradient for its input, plus `residual` of its shape: what reaches the same value around the norm.
 *
 * @param position  of `residual` among the inputs, before the optional channel weights
 */
export function withResidual(name: string, gradient: OpDefinition, position: number): OpDefinition {
  const without = <T>(inputs: readonly T[]) => inputs.filter((_, i) => i !== position);
  return {
    name,
    attributes: gradient.attributes,
    infer(inputs, attributes, declared) {
      expectInputs(name, inputs, position + 1, position + 2);
      const residual = inputs[position];
      expectFloats(name, { residual });
      expectShape(`${name}: residual`, residual, inputs[0].shape, "It must have the shape of dy.");
      return gradient.infer(without(inputs), attributes, declared);
    },
    inPlace: [[0, position]],
    flops: (inputs, outputs, attributes) => gradient.flops(without(inputs), outputs, attributes) + elements(outputs[0].shape),
  };
}
