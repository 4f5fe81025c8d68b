import { flm101b, type PaperTables } from "../paper/tables.ts";
import { carbonClaims } from "./carbon.ts";
import { costClaims } from "./cost.ts";
import { hardwareClaims } from "./hardware.ts";
import type { ArithmeticClaim } from "./row.ts";
import { scheduleClaims } from "./schedule.ts";
import { textClaims } from "./text.ts";

/**
 * Every figure of FLM-101B that can be recomputed from published inputs, each with the paper's figure, ours, a verdict
 * and the workings. Nothing is looked up: every value is computed from the tables when this is called.
 */
export function arithmeticClaims(tables: PaperTables = flm101b): ArithmeticClaim[] {
  return [
    ...costClaims(tables),
    ...scheduleClaims(tables),
    ...hardwareClaims(tables),
    ...carbonClaims(tables),
    ...textClaims(tables),
  ];
}
