import { GrowthError } from "@espalier/core";
import { bert2Bert } from "./bert2Bert.ts";
import { hyperCloning } from "./hyperCloning.ts";
import { identity } from "./identity.ts";
import { lemon } from "./lemon.ts";
import { msg, msgInterleave } from "./msg.ts";
import { net2Wider } from "./net2Wider.ts";
import { averageDepth, randomDepth } from "./newDepth.ts";
import type { AxisGroup, GrowthOperator } from "./operator.ts";
import { gradualStack, interleavedStack, lidas, midas, solar } from "./partialStack.ts";
import { shrinkPerturb } from "./shrinkPerturb.ts";
import { sparkling } from "./sparkling.ts";
import { stack } from "./stack.ts";
import { llamaPro, zeroDepth, zeroDepthTop } from "./zeroDepth.ts";
import { zeroWidth } from "./zeroWidth.ts";

/** Every operator a plan may name. `espalier grow --list` prints it, and a test holds the README to it. */
export const operators: readonly GrowthOperator[] = [
  identity,
  msg,
  msgInterleave,
  zeroDepth,
  zeroDepthTop,
  llamaPro,
  stack,
  gradualStack,
  interleavedStack,
  midas,
  lidas,
  solar,
  randomDepth,
  averageDepth,
  hyperCloning,
  net2Wider,
  lemon,
  zeroWidth,
  sparkling,
  bert2Bert,
  shrinkPerturb,
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
