import { GrowthError } from "@espalier/core";
import { hyperCloning } from "./hyperCloning.ts";
import { identity } from "./identity.ts";
import { msg, msgInterleave } from "./msg.ts";
import { net2Wider } from "./net2Wider.ts";
import type { AxisGroup, GrowthOperator } from "./operator.ts";
import { stack } from "./stack.ts";
import { zeroDepth, zeroDepthTop } from "./zeroDepth.ts";

/** Every operator a plan may name. `espalier grow --list` prints it, and a test holds the README to it. */
export const operators: readonly GrowthOperator[] = [
  identity,
  msg,
  msgInterleave,
  zeroDepth,
  zeroDepthTop,
  stack,
  hyperCloning,
  net2Wider,
];

/** @throws {GrowthError} when no operator has this name, or it does not act on this axis group */
export function operatorNamed(name: string, group: AxisGroup): GrowthOperator {
  const found = operators.find((operator) => operator.name === name);
  const fitting = operators.filter(({ groups }) => groups.includes(group)).map((operator) => operator.name);
  if (!found) {
    throw new GrowthError(
      `growth operator (${group}): found "${name}", expected one of ${fitting.join(", ")}. Correct the plan.`,
    );
  }
  if (!found.groups.includes(group)) {
    throw new GrowthError(
      `growth operator (${group}): ${name} acts on ${found.groups.join(", ")}, expected one for ${group}: ` +
        `${fitting.join(", ")}. Correct the plan.`,
    );
  }
  return found;
}
