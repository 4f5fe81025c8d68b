export { type Checkpoint, type CheckpointRecord, type HistoryEvent, openCheckpoint, readModelState } from "./checkpoint.ts";
export { corpusData, type TrainData } from "./data.ts";
export { type ForkRequest, type SharedSteps, sharedSteps } from "./fork.ts";
export { DeviceModel, type DeviceModelOptions, type ModelState, type Ready, type Tree } from "./deviceModel.ts";
export { exportHuggingFace, type ExportOptions } from "./exportHuggingFace.ts";
export { directoryLogitChange, type GrownDirectory, type GrownShape, growHuggingFace } from "./growHuggingFace.ts";
export { type HuggingFaceOptions, type HuggingFaceState, loadHuggingFaceModel, readHuggingFaceCodec, readHuggingFaceState } from "./huggingFace.ts";
export { initialParameters, initialState, zeroMoments } from "./initialise.ts";
export { type LanguageModelOptions, loadLanguageModel, type LoadedLanguageModel } from "./languageModel.ts";
export { type CacheShape, nextLogitsProgram, rowsProgram, scoringProgram } from "./inference/programs.ts";
export { type StageMemory, trainingMemory } from "./memory.ts";
export { type MicroBatch, type StepRequest, type StepResult, trainStep } from "./optimizer.ts";
export { type SourcePacking, trainingPacking } from "./packing.ts";
export {
  type BatchShape,
  evaluationProgram,
  logitsProgram,
  microStepProgram,
  optimizerProgram,
} from "./programs.ts";
export { newestCheckpoint, type ResumePoint } from "./resume.ts";
export { listCheckpoints, planDigest, readEvents, readIdentity, readMetrics, runPaths } from "./runDirectory.ts";
export { learningRateSchedule, stageStarts, totalSteps } from "./schedule.ts";
export type { TrainHooks, TrainRequest } from "./trainRequest.ts";
export { type StageResult, train, type TrainResult } from "./train.ts";
export { type GrowthProbe, probeGrowth, type ProbedGrowth } from "./probeGrowth.ts";
export { type ProcessHooks, trainInProcess } from "./trainInProcess.ts";
export { codecOf, huggingFaceCodec, type TextCodec } from "./textCodec.ts";
export { type Attend, type TransformerInputs, type TransformerOutputs, transformer } from "./transformer.ts";
export { type CheckpointValidation, validateCheckpoint, type ValidationResult } from "./validation.ts";
export type { ProcessRequest } from "./workerMessages.ts";
