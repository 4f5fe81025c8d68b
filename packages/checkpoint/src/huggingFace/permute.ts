import type { Parameter } from "@espalier/spec/model";
import type { TensorRule } from "./family.ts";

/** Visits every value of a parameter: its index in ours, and its index in the tensor of the rule. */
function forEachPlace({ rows, columns }: Parameter, { shape, rowOf, transposed }: TensorRule, visit: (ours: number, theirs: number) => void): void {
  const outSize = transposed ? shape[1]! : shape[0]!;
  for (let row = 0; row < rows; row++) {
    const target = rowOf ? rowOf(row) : row;
    for (let column = 0; column < columns; column++) {
      visit(row * columns + column, transposed ? column * outSize + target : target * columns + column);
    }
  }
}

/** A parameter's values out of the tensor that holds it. */
export function gather(parameter: Parameter, rule: TensorRule, tensor: Float32Array): Float32Array {
  if (!rule.rowOf && !rule.transposed) return tensor;
  const values = new Float32Array(parameter.rows * parameter.columns);
  forEachPlace(parameter, rule, (ours, theirs) => (values[ours] = tensor[theirs]!));
  return values;
}

/** Puts a parameter's values into the tensor that holds it. */
export function scatter(parameter: Parameter, rule: TensorRule, values: Float32Array, tensor: Float32Array): void {
  if (!rule.rowOf && !rule.transposed) tensor.set(values);
  else forEachPlace(parameter, rule, (ours, theirs) => (tensor[theirs] = values[ours]!));
}
