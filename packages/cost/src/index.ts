export { type CpuPowerRow, type AcceleratorRow, acceleratorRows, cpuPowerRows } from "./catalogue/hardware.ts";
export { type ClusterModelRow, clusterModelRows, findClusterModel } from "./catalogue/clusterModels.ts";
export { type ClusterDeviceRow, clusterDeviceRows } from "./catalogue/clusterDevices.ts";
export { type ClusterPriceRow, type Commitment, clusterPriceRows, clusterPrices, standInPrices } from "./catalogue/clusterPrices.ts";
export { type GridRow, type PaperGridRow, type PueRow, findGrid, gridRows, paperGridRows, pueRows } from "./catalogue/grid.ts";
export { type PriceRow, priceRange, priceRows } from "./catalogue/prices.ts";
export type { Source } from "./catalogue/types.ts";
export { arithmeticClaims } from "./claims/arithmetic.ts";
export { type Finding, audit } from "./claims/audit.ts";
export { type TableFinding, auditTable } from "./claims/auditTable.ts";
export { type CostCell, type CostColumn, type CostTable, type CostTableRow, parseCostTable } from "./claims/costTable.ts";
export type { ArithmeticClaim, Workings, WorkingsInput } from "./claims/row.ts";
export { type AdmissibleShape, type StageConstraints, admissibleShapes } from "./claims/stageShapes.ts";
export {
  type ClusterCalibration,
  type ClusterStepEstimate,
  type MeasuredClusterStep,
  calibrateCluster,
  estimateClusterStep,
  stepSpread,
  uncalibrated,
} from "./cluster/calibrate.ts";
export type { StepConstants } from "./cluster/constants.ts";
export { type FlopConventions, flopsPerToken, teraflops } from "./cluster/conventions.ts";
export { type Cluster, cluster } from "./cluster/device.ts";
export { type RunEstimate, type RunRequest, estimateRun } from "./cluster/estimateRun.ts";
export { defaultBatchSize } from "./cluster/defaultBatchSize.ts";
export { fittedConstants } from "./cluster/fitted.ts";
export { type FailureModel, type Goodput, checkpointInterval, clusterGoodput, defaultFailures } from "./cluster/goodput.ts";
export { growsInto, growthSizes } from "./cluster/growthSizes.ts";
export { type HopOperators, type LawBasis, type OperatorLaw, bestOperators, hopOperators, operatorLaws } from "./cluster/hopOperators.ts";
export { type Layout as ClusterLayout, layout as clusterLayout, layoutProblems } from "./cluster/layout.ts";
export {
  type ClusterMemory,
  type MeasuredMemory,
  type MemoryConstants,
  type MemoryPart,
  type StageMemory,
  calibrateMemory,
  defaultMemory,
  flatAdamMemory,
  predictClusterMemory,
} from "./cluster/memory.ts";
export { type ClusterCost, type Range as CostRange, clusterCost } from "./cluster/money.ts";
export type { ClusterPlan, ClusterPlanRequest, ClusterPlanStage, ClusterRun, PlanGain, PlannedTokens } from "./cluster/clusterPlan.ts";
export { costedRun, timeSizes } from "./cluster/costedRun.ts";
export { paretoFront, planCluster } from "./cluster/planCluster.ts";
export { type GrowthCurves, type GrowthReading, type TimedSchedule, type TimedSize, growthCurves, growthReadings, operatorsOf, searchSchedules, stagesOf } from "./cluster/schedules.ts";
export { type LayoutSpace, type PipelineSchedule, layoutSpace } from "./cluster/layoutSpace.ts";
export { type LayoutChoice, type LayoutSearch, type LayoutSearchOptions, searchLayouts } from "./cluster/searchLayouts.ts";
export { type ClusterModel, type ExpertShape, type ParameterBuckets, clusterModel, parameterBuckets } from "./cluster/shape.ts";
export { whyNoLayout } from "./cluster/whyNoLayout.ts";
export { type ClusterStep, type StepPart, predictClusterStep } from "./cluster/step.ts";
export { type Arm, type Arms, controlOverOneHop, stageShares } from "./experiment/arms.ts";
export type { PlannedJob, RateGroup } from "./experiment/jobs.ts";
export { type Rung, type TextShape, ladder, numBlockParameters, preferredRung, rivalModels, rungModel, stageModels } from "./experiment/ladder.ts";
export { type Schedulable, type Schedule, type ScheduledJob, schedule } from "./experiment/schedule.ts";
export { type ValidationWork, isShortPilot, numCurvePoints } from "./experiment/validation.ts";
export {
  type ExperimentJob,
  type ExperimentPlan,
  type ExperimentRequest,
  type OverheadSeconds,
  type PlanPart,
  planExperiment,
} from "./experimentPlan.ts";
export {
  type FlopsRange,
  type MegatronShape,
  type Recomputation,
  ZETTA,
  blockParameters,
  megatronFlops,
  megatronFlopsRange,
  stagesFlops,
} from "./flops.ts";
export {
  type ChinchillaConstants,
  chinchillaLoss,
  computeOptimal,
  epochChinchilla,
  roundedChinchilla,
  texChinchilla,
} from "./laws/chinchilla.ts";
export { type ChinchillaFit, type ScalingPoint, fitChinchilla } from "./laws/fitChinchilla.ts";
export {
  criticalBatchTokens,
  kaplan,
  kaplanLoss,
  kaplanLossOfCompute,
  kaplanLossOfParameters,
  kaplanLossOfSteps,
  kaplanLossOfTokens,
} from "./laws/kaplan.ts";
export {
  type EqualLossMultiplier,
  type LossPoint,
  equalLossMultiplier,
  flopsAtLoss,
  savingFromMultiplier,
  savingFromSpeedup,
} from "./laws/equalLoss.ts";
export {
  type GrowthEffects,
  type GrowthPrediction,
  type GrowthStage,
  type HopEffects,
  growthLoss,
  predictedEqualLossSaving,
  scratchFlopsToLoss,
} from "./laws/growthLaw.ts";
export { type GrowthTrend, type TrendPoint, growthTrend, pointsOnTrend, publishedLadders } from "./laws/growthTrend.ts";
export { type GrowthCalibration, type GrowthOfRole, calibrateGrowth } from "./laws/calibrateGrowth.ts";
export { type GrowthTiming, growthTiming } from "./laws/growthTiming.ts";
export { type LinearFit, linearLeastSquares } from "./laws/linearLeastSquares.ts";
export { type LossPrediction, type StaticLaw, predictLoss, staticLaws } from "./laws/predictLoss.ts";
export { type TimingRow, publishedTargets, publishedTiming } from "./laws/publishedTiming.ts";
export { type Clamped, clampToFit } from "./laws/range.ts";
export { type SavingClaim, computeOfLossGap, honestSavings, twoPointSaving } from "./laws/savings.ts";
export { type TimingOpinion, timingOpinions } from "./laws/timingOpinions.ts";
export { type Curve, type Fit, leastSquares } from "./laws/leastSquares.ts";
export { growthCurveSaving, stagedSaving } from "./laws/linearGrowth.ts";
export { type MuScalingFit, fitMuScaling } from "./laws/muScaling.ts";
export { type MeasuredGrowth, fitLimitedTransfer, fitTransfer, predictedSpeedup, stackSpeedups } from "./laws/transfer.ts";
export { type StackTiming, stackTiming } from "./laws/stackTiming.ts";
export { type MemoryPrediction, memoryByFormula, memoryOfPrograms, predictMemory } from "./machine/memory.ts";
export { type GemmRate, type MachineProfile, type Sourced, assumedPowerAndPrice, gemmGflops, roughProfile } from "./machine/profile.ts";
export { type CostFactor, type CostLine, type CostedWork, type RunCost, runCost } from "./machine/runCost.ts";
export {
  type MeasuredStep,
  type StepBatch,
  type StepCalibration,
  type StepPrediction,
  calibrateSteps,
  predictStepSeconds,
} from "./machine/stepTime.ts";
export { growthStages } from "./paper/quantities.ts";
export { type PaperCarbon, type PaperCost, type PaperScores, type PaperStage, type PaperTables, flm101b } from "./paper/tables.ts";
export { type Interval, type Printed, equalsPrinted, roundingInterval, valueOf } from "./printed.ts";
export { type PipelineOperation, type PipelineShape, pipelineOrder } from "./simulation/pipelineOrder.ts";
export { rankSeconds, simulateStep } from "./simulation/rankSeconds.ts";
export { type PipelineRequest, type PipelineSimulation, type RankSeconds, type TimedOperation, simulatePipeline } from "./simulation/simulatePipeline.ts";
export {
  type Simulation,
  type SimulationEvent,
  type SimulationParts,
  type SimulationRequest,
  type SimulationSummary,
  type StragglerModel,
  simulateRun,
  simulateRuns,
} from "./simulation/simulateRun.ts";
export { type SparePool, erlangB, waitingShare } from "./simulation/spares.ts";
export { parseCsv, writeCsv } from "./csv.ts";
export { estimatePicture } from "./picture/estimatePicture.ts";
export { frontPicture } from "./picture/frontPicture.ts";
export { pipelinePicture } from "./picture/pipelinePicture.ts";
export { type UnitKind, parseQuantity } from "./units.ts";
