import { random } from "@espalier/core";
import { type ModelConfig, parameters } from "@espalier/spec/model";
import type { ModelState } from "./deviceModel.ts";

/**
 * Parameters at the start of training, by the layout table. Values depend on (seed, parameter name, position) only.
 * One million normal numbers take about 0.1 s.
 */
export function initialParameters(config: ModelConfig, seed: number): Record<string, Float32Array> {
  return Object.fromEntries(
    parameters(config).map(({ name, entry: { init }, rows, columns }) => {
      const values = new Float32Array(rows * columns);
      if (init.kind === "constant") values.fill(init.value);
      else {
        const std = init.std(config);
        const draw = random(seed, "init", name);
        for (let i = 0; i < values.length; i++) values[i] = std * draw.normal(i);
      }
      return [name, values];
    }),
  );
}

/** Moments at the start of training: zeros. */
export function zeroMoments(config: ModelConfig): Record<string, Float32Array> {
  return Object.fromEntries(parameters(config).map(({ name, rows, columns }) => [name, new Float32Array(rows * columns)]));
}

/** A model before its first step. */
export function initialState(config: ModelConfig, seed: number): ModelState {
  const moments = { first: zeroMoments(config), second: zeroMoments(config) };
  return { config, parameters: initialParameters(config, seed), moments };
}
