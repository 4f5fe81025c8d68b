import { ShapeError } from "@espalier/core";
import type { Tensor } from "../graph.ts";
import { elements, expectDtype, expectElements, expectFloats, expectInputs, expectShape, f32 } from "../shapes.ts";
import { type OpDefinition, perElement, record } from "./definition.ts";
import type { RotaryOptions } from "./rotary.ts";

export const rotaryAnglesOp: OpDefinition = {
  name: "rotaryAngles",
  attributes: ["numPairs", "kind", "side", "base", "scaleBase", "gamma", "centre"],
  infer(inputs, { numPairs }) {
    expectInputs("rotaryAngles", inputs, 1, 2);
    const [positions, frequencies] = inputs;
    expectDtype("rotaryAngles: positions", positions, "i32");
    expectFloats("rotaryAngles", { frequencies });
    if (!Number.isInteger(numPairs) || numPairs < 1) {
      throw new ShapeError(`rotaryAngles: numPairs: is ${numPairs}, expected half the head size. Correct the number.`);
    }
    if (frequencies) expectShape("rotaryAngles: frequencies", frequencies, [numPairs], "It must have one value a pair.");
    return [f32([elements(positions.shape), 2, numPairs])];
  },
  flops: perElement(20),
};

export const rotaryAtOp: OpDefinition = {
  name: "rotaryAt",
  attributes: [],
  infer(inputs) {
    expectInputs("rotaryAt", inputs, 2);
    const [x, angles] = inputs;
    expectFloats("rotaryAt", { x, angles });
    const [R, , numPairs] = angles.shape;
    const D = x.shape.at(-1)!;
    expectShape("rotaryAt: angles", angles, [R, 2, D / 2], "It comes from rotaryAngles with half the head size of x.");
    const heads = x.shape.at(-2) ?? 1;
    expectElements("rotaryAt: x", x, R * heads * 2 * numPairs, "It must have one row a position.");
    return [x];
  },
  flops: perElement(4),
};

/**
 * What `rotaryAt` multiplies by: for row r at `n = positions[r]` and pair i, `[scale cos(n w_i), scale sin(n w_i)]` with
 * the frequencies and xPos scales of `rotary`. A row depends on its position alone, so rows of several sequences, each
 * at its own place, may share a run. Made once and used by every layer.
 *
 * @param positions  i32 `[R]`
 * @param headDim    D, even
 * @returns          `[R, 2, D/2]`
 * @throws {ShapeError} when positions are not i32 or the frequencies are not `[D/2]`
 */
export function rotaryAngles(
  positions: Tensor,
  headDim: number,
  { kind = "rope", side, base = 10000, scaleBase = 512, gamma = 0.4, centre = 0, frequencies }: RotaryOptions,
): Tensor {
  const attributes = {
    numPairs: headDim / 2,
    kind: kind === "xpos" ? 1 : 0,
    side: side === "query" ? 1 : -1,
    base,
    scaleBase,
    gamma,
    centre,
  };
  return record(rotaryAnglesOp, frequencies ? [positions, frequencies] : [positions], attributes)[0];
}

/**
 * Rotary position encoding of rows at any positions: pair (i, i + D/2) of every head of row r turns by the row's angle.
 * `rotary` for consecutive positions gives the same values up to rounding. It has no gradient.
 *
 * @param x       queries or keys `[..., heads, D]` with R rows
 * @param angles  `[R, 2, D/2]` from `rotaryAngles`
 * @throws {ShapeError} when rows or head size do not fit
 */
export function rotaryAt(x: Tensor, angles: Tensor): Tensor {
  return record(rotaryAtOp, [x, angles])[0];
}
