export { allClaims } from "./claims/index.ts";
export type { TrainedEvidence, TrainingTrace } from "./claims/trained.ts";
export { type ExperimentFile, parseExperimentFile, type ProceduralText } from "./experiment.ts";
export { embedReport } from "./html.ts";
export { type PoolJob, runPool } from "./pool.ts";
export { reproduce } from "./reproduce.ts";
export type { ReproduceHooks, ReproduceRequest } from "./request.ts";
export { assembleReport, type Evidence } from "./report/assemble.ts";
