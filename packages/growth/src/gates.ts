import { type Axis, type ModelConfig, axisSize } from "@espalier/spec/model";
import type { Births } from "./births.ts";

/** A runtime input of the traced model while a growth ramps. */
export interface Gate {
  /**
   * - `gate.residual` [C]: multiplies the embedding's and every block's write; channel weights of all norms
   * - `gate.ffn` [H]: multiplies the MLP's hidden units before the activation, after the bias (SwiGLU: the up branch)
   * - `gate.query` [N * D], `gate.keyValue` [G * D]: multiply queries, and keys and values, after the bias
   * - `gate.layer.<i>` [1]: `h <- (1 - m) h + m Block(h)`
   */
  name: string;
  length: number;
}

/**
 * The gates that the newest growth needs, with the lengths of the target configuration. A gate appears only when it has
 * a unit below 1, so a model traced without any is the plain model.
 */
export function gates(config: ModelConfig, births: Births): Gate[] {
  return Object.entries(gateValues(config, births, 0)).map(([name, values]) => ({ name, length: values.length }));
}

/**
 * m: how far the newest growth's gates are open, 0 at the growth, 1 from `rampSteps` finished steps on.
 *
 * @param step finished optimiser steps
 * @see Yao et al. 2024, arXiv:2305.02869: m grows by 1/rampSteps after each optimiser step
 */
export function rampValue(births: Births, step: number): number {
  const { step: born, rampSteps } = births.events.at(-1)!;
  return rampSteps === 0 ? 1 : Math.min(1, Math.max(0, (step - born) / rampSteps));
}

/**
 * Values of the gates: m on units of the newest birth, 1 on older ones.
 *
 * @param m ramp value, see `rampValue`
 * @returns fp32 vectors by gate name, as listed by `gates`
 */
export function gateValues(config: ModelConfig, births: Births, m: number): Record<string, Float32Array> {
  const event = births.events.length - 1;
  const { rampSteps, gatedAxes, gatedLayers } = births.events[event]!;
  if (rampSteps === 0) return {};

  const axisGate = (axis: Axis): ((unit: number) => number) => {
    const born = gatedAxes.includes(axis) ? births.axes[axis]?.event : undefined;
    return (unit) => (born?.[unit] === event ? m : 1);
  };
  const hasNew = (axis: Axis) => gatedAxes.includes(axis) && births.axes[axis]!.event.includes(event);
  const [residual, ffn, kvHead, group] = (["residual", "ffn", "kvHead", "group"] as const).map(axisGate);
  const D = axisSize(config, "headSize");
  const vector = (length: number, value: (i: number) => number) => Float32Array.from({ length }, (_, i) => value(i));

  const values: Record<string, Float32Array> = {};
  if (hasNew("residual")) values["gate.residual"] = vector(config.residualDim, residual!);
  if (hasNew("ffn")) values["gate.ffn"] = vector(config.ffnDim, ffn!);
  if (hasNew("kvHead") || hasNew("group")) {
    const size = config.groupSize;
    values["gate.query"] = vector(config.numKvHeads * size * D, (i) => {
      const head = Math.floor(i / D);
      return Math.min(kvHead!(Math.floor(head / size)), group!(head % size));
    });
  }
  if (hasNew("kvHead")) values["gate.keyValue"] = vector(config.numKvHeads * D, (i) => kvHead!(Math.floor(i / D)));
  if (gatedLayers) {
    births.layers.event.forEach((born, layer) => {
      if (born === event) values[`gate.layer.${layer}`] = Float32Array.of(m);
    });
  }
  return values;
}
