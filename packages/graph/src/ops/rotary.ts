import { ShapeError } from "@espalier/core";
import type { Tensor } from "../graph.ts";
import { expectFloats, expectInputs, expectRank, expectShape } from "../shapes.ts";
import { type OpDefinition, perElement, record } from "./definition.ts";

export const rotaryOp: OpDefinition = {
  name: "rotary",
  attributes: ["kind", "side", "base", "scaleBase", "gamma", "centre", "inverse"],
  infer(inputs) {
    expectInputs("rotary", inputs, 1, 2);
    const [x, frequencies] = inputs;
    expectFloats("rotary", { x, frequencies });
    expectRank("rotary: x", x, 4, "[B, T, heads, D]");
    const D = x.shape[3];
    if (D % 2 !== 0) {
      throw new ShapeError(`rotary: x: head size is ${D}, expected an even number. Rotation works on pairs.`);
    }
    if (frequencies) expectShape("rotary: frequencies", frequencies, [D / 2], "It must have one value a pair.");
    return [x];
  },
  gradient: ({ inputs: [, ...frequencies], attributes, dy }) =>
    record(rotaryOp, [dy, ...frequencies], { ...attributes, inverse: 1 - attributes.inverse }),
  flops: perElement(4),
};

export interface RotaryOptions {
  kind?: "rope" | "xpos";
  /** xPos scales queries up and keys down with position. */
  side: "query" | "key";
  /** Default 10000. */
  base?: number;
  /** xPos: positions over which the scale changes by one power of zeta. Default 512. */
  scaleBase?: number;
  /** xPos. Default 0.4. */
  gamma?: number;
  /** xPos: the position of scale 1; a constant of the configuration, never the running length. Default 0. */
  centre?: number;
  /** One frequency a pair `[D/2]`, in place of `base^(-2i/D)`. */
  frequencies?: Tensor;
}

/**
 * Rotary position encoding: pair (i, i + D/2) of position n turns by `n base^(-2i/D)`. `xpos` also multiplies by
 * `zeta_i^(+-(n - centre) / scaleBase)`, `zeta_i = (2i/D + gamma) / (1 + gamma)`, + for queries and - for keys.
 *
 * @param x  queries or keys `[B, T, heads, D]`, D even
 * @throws {ShapeError} when x is not of rank 4, D is odd or the frequencies are not `[D/2]`
 * @see Su et al. 2021, arXiv:2104.09864; Sun et al. 2022, arXiv:2212.10554 (xPos)
 */
export function rotary(
  x: Tensor,
  { kind = "rope", side, base = 10000, scaleBase = 512, gamma = 0.4, centre = 0, frequencies }: RotaryOptions,
): Tensor {
  const attributes = {
    kind: kind === "xpos" ? 1 : 0,
    side: side === "query" ? 1 : -1,
    base,
    scaleBase,
    gamma,
    centre,
    inverse: 0,
  };
  return record(rotaryOp, frequencies ? [x, frequencies] : [x], attributes)[0];
}
