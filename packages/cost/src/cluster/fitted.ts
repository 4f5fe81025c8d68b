import { priorConstants, type StepConstants } from "./constants.ts";

export const fittedConstants: StepConstants = { ...priorConstants };

/** Standard deviation of log(measured / predicted) beyond the constants. */
export const unexplainedSpread = { uncalibrated: 0.1, calibrated: 0.06 };
