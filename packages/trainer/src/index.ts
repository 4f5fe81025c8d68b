export { type Checkpoint, type CheckpointRecord, type HistoryEvent, openCheckpoint, readModelState } from "./checkpoint.ts";
export { corpusData, type TrainData } from "./data.ts";
export { listCheckpoints, planDigest, readEvents, readIdentity, readMetrics, runPaths } from "./runDirectory.ts";
export { learningRateSchedule, stageStarts, totalSteps } from "./schedule.ts";
export type { TrainHooks, TrainRequest } from "./session.ts";
export { type StageResult, train, type TrainResult } from "./train.ts";
