import { applyGrowth, type Births, composeGrowth, growBirths, growMoments, type GrowthMap } from "@espalier/growth";
import type { Stage } from "@espalier/spec/plan";
import { DeviceModel } from "./deviceModel.ts";
import { growOnDevice } from "./growOnDevice.ts";
import type { HistoryEvent } from "./checkpoint.ts";
import { comparisonLogits, relativeChange, validate, type ValidationSet } from "./validation.ts";

/** The record of a growth. */
export type GrowthEvent = Extract<HistoryEvent, { kind: "growth" }>;

export interface GrowthRequest {
  model: DeviceModel;
  /** The stage that begins, and its number. */
  stage: Stage;
  index: number;
  validation: ValidationSet;
  batchSize: number;
  /** Validation loss of the source, which its stage has just ended with. */
  lossBefore: number;
}

/**
 * Grows a model in memory: parameters and moments through the growth map, births for new units, and the measured effect
 * on held-back text with all gates at 0. The source model is not changed; equal arguments give equal results.
 *
 * @throws {GrowthError} when an operator does not fit, a target is smaller than its source, or an earlier ramp has not
 *   ended
 */
export async function growModel(request: GrowthRequest): Promise<{ model: DeviceModel; event: GrowthEvent }> {
  const { model, stage, index, validation, batchSize, lossBefore } = request;
  const growth = stage.growth!;
  const map = composeGrowth(model.config, stage.model, growth);
  const births = growBirths(model.births, map, { step: model.step, rampSteps: growth.rampSteps });
  // On a GPU the tensors stay there; elsewhere the host's sums in fp64 fix the bits of a run.
  const target = model.executor.name === "cuda" ? await growOnDevice(model, map, births) : grownOnHost(model, map, births);
  const before = await comparisonLogits(model, validation);
  const after = await comparisonLogits(target, validation);
  const { loss: lossAfter } = await validate(target, validation, batchSize);
  return {
    model: target,
    event: {
      kind: "growth",
      step: model.step,
      stage: index,
      operators: growth.operators as Record<string, string>,
      lossBefore,
      lossAfter,
      logitChange: relativeChange(before, after),
      from: model.config,
      to: stage.model,
    },
  };
}

function grownOnHost(model: DeviceModel, map: GrowthMap, births: Births): DeviceModel {
  const { parameters, moments, step } = model.readState();
  const grown = {
    config: map.target,
    parameters: applyGrowth(map, parameters),
    moments: { first: growMoments(map, moments.first, { order: 1 }), second: growMoments(map, moments.second, { order: 2 }) },
    births,
    step,
  };
  return new DeviceModel(model.executor, grown, { precision: model.precision });
}
