export { CancelledError, ConfigError, DataError, DeviceError, EspalierError, FileError, GrowthError, LockError, ShapeError } from "./errors.ts";
export { type Progress, type ProgressEvent, silent } from "./progress.ts";
export { philox4x32, type Random, type RandomSequence, random } from "./random.ts";
