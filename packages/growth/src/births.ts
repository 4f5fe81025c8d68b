import { GrowthError } from "@espalier/core";
import { type Axis, type LayoutAxis, type ModelConfig, type Parameter, axisSize } from "@espalier/spec/model";
import type { AxisMap, GrowthMap } from "./map.ts";

/** Learning-rate multiplier of one birth: linear from `from` to `to` over `steps` optimiser steps, then `to`. */
export interface BirthRate {
  from: number;
  to: number;
  steps: number;
}

/** One row of the birth table. Row 0 is the start of training. Steps count finished optimiser steps. */
export interface BirthEvent {
  /** Finished steps when these units were born. */
  step: number;
  /** Finished steps when the moments of these units were last all zero; their bias-correction age counts from here. */
  momentsStep: number;
  /** Steps over which gates go from 0 to 1; 0: no gates. */
  rampSteps: number;
  /** Axes whose units of this birth are gated, and whether its layers are. */
  gatedAxes: readonly Axis[];
  gatedLayers: boolean;
  rate: BirthRate;
}

/** Birth of the units of one axis, or of the layers. */
export interface UnitBirths {
  /** Row of the birth table, by unit. */
  event: readonly number[];
  /** The unit that this one was copied from (an index of the same axis), -1 for originals and fresh units. */
  copyOf: readonly number[];
}

/** Which growth created every unit of every axis. Plain data: it is stored in the checkpoint. */
export interface Births {
  format: "espalier-births-1";
  events: readonly BirthEvent[];
  /** An axis that never grew is absent: all its units have birth 0. */
  axes: Partial<Record<Axis, UnitBirths>>;
  layers: UnitBirths;
}

const STEADY: BirthRate = { from: 1, to: 1, steps: 0 };

/** Births of a model at the start of training. */
export function firstBirths(config: Pick<ModelConfig, "numLayers">): Births {
  return {
    format: "espalier-births-1",
    events: [{ step: 0, momentsStep: 0, rampSteps: 0, gatedAxes: [], gatedLayers: false, rate: STEADY }],
    axes: {},
    layers: { event: new Array(config.numLayers).fill(0), copyOf: new Array(config.numLayers).fill(-1) },
  };
}

/** How a growth enters the birth table. */
export interface GrowthEventOptions {
  /** Finished optimiser steps. */
  step: number;
  rampSteps: number;
  /** Learning-rate multiplier of what is born now; constant 1 when absent. */
  rate?: BirthRate;
  /** `reset`: the moments of old entries were set to zero as well, so every age starts again. Default `kept`. */
  moments?: "kept" | "reset";
}

/**
 * Births after a growth: units that continue keep their event, the others get a new one.
 *
 * @throws {GrowthError} when an earlier growth is still ramping: its gates would be lost
 */
export function growBirths(
  births: Births,
  map: GrowthMap,
  { step, rampSteps, rate, moments = "kept" }: GrowthEventOptions,
): Births {
  const last = births.events.at(-1)!;
  if (step < last.step + last.rampSteps) {
    throw new GrowthError(
      `growth at step ${step}: the gates of the growth at step ${last.step} ramp until step ${last.step + last.rampSteps}, ` +
        "expected a finished ramp. Shorten the ramp or lengthen the stage.",
    );
  }
  const event = births.events.length;
  const axes: Partial<Record<Axis, UnitBirths>> = { ...births.axes };
  for (const [axis, axisMap] of Object.entries(map.axes) as [Axis, AxisMap][]) {
    const sources = axisMap.carry.map((row) => (row.length === 1 ? row[0]![0] : -1));
    axes[axis] = grownUnits(births.axes[axis] ?? originals(axisMap.sourceSize), axisMap.keeps, sources, event);
  }
  const layerSources = map.layers.map(({ terms }) => (terms.length === 1 ? terms[0]!.layer : -1));
  const gatedAxes = (Object.entries(map.axes) as [Axis, AxisMap][])
    .filter(([, { gated }]) => gated)
    .map(([axis]) => axis);
  const events = births.events.map((old) => (moments === "reset" ? { ...old, momentsStep: step } : old));
  return {
    format: "espalier-births-1",
    events: [
      ...events,
      {
        step,
        momentsStep: step,
        rampSteps,
        gatedAxes,
        gatedLayers: map.layers.some(({ gated }) => gated),
        rate: rate ?? STEADY,
      },
    ],
    axes,
    layers: grownUnits(
      births.layers,
      map.layers.map(({ keeps }) => keeps),
      layerSources,
      event,
    ),
  };
}

function originals(size: number): UnitBirths {
  return { event: new Array(size).fill(0), copyOf: new Array(size).fill(-1) };
}

function grownUnits(old: UnitBirths, keeps: readonly number[], sources: readonly number[], event: number): UnitBirths {
  const placeOf = new Map(keeps.map((s, t) => [s, t] as const).filter(([s]) => s >= 0));
  const place = (s: number) => (s >= 0 ? (placeOf.get(s) ?? -1) : -1);
  return {
    event: keeps.map((s) => (s >= 0 ? old.event[s]! : event)),
    copyOf: keeps.map((s, t) => place(s >= 0 ? old.copyOf[s]! : sources[t]!)),
  };
}

/** Inputs of the adamw op for one parameter: an entry's birth is the larger of its row's and its column's. */
export interface EntryBirths {
  /** [rows]; the layer's birth is in here. */
  rowBirth: Int32Array;
  /** [columns] */
  columnBirth: Int32Array;
}

/** Births of the entries of one parameter: the latest birth of their axes' units and of their layer. */
export function entryBirths(config: ModelConfig, births: Births, { entry, layer }: Parameter): EntryBirths {
  const layerBirth = layer === undefined ? 0 : births.layers.event[layer]!;
  return {
    rowBirth: latestBirth(config, births, entry.axes.slice(0, entry.numRowAxes), layerBirth),
    columnBirth: latestBirth(config, births, entry.axes.slice(entry.numRowAxes), 0),
  };
}

function latestBirth(config: ModelConfig, births: Births, axes: readonly LayoutAxis[], floor: number): Int32Array {
  return axes.reduce((outer, { axis }) => {
    const size = axisSize(config, axis);
    const inner = births.axes[axis]?.event;
    return Int32Array.from({ length: outer.length * size }, (_, i) =>
      Math.max(outer[Math.floor(i / size)]!, inner?.[i % size] ?? 0),
    );
  }, Int32Array.of(floor));
}

/**
 * The adamw op's `births` input: a row an event of `(1 - beta1^age, 1 - beta2^age, rateMultiplier)`, where the step
 * about to be made counts: age = finished steps - momentsStep + 1.
 *
 * @param step finished optimiser steps
 * @returns    `[E, 3]`, row-major
 */
export function birthTable(
  births: Births,
  step: number,
  { beta1, beta2 }: { beta1: number; beta2: number },
): Float32Array {
  return Float32Array.from(
    births.events.flatMap((event) => {
      const age = step - event.momentsStep + 1;
      const { from, to, steps } = event.rate;
      const share = steps === 0 ? 1 : Math.min(1, (step - event.step + 1) / steps);
      return [1 - beta1 ** age, 1 - beta2 ** age, from + (to - from) * share];
    }),
  );
}
