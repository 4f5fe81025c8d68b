/**
 * Base of every error that Espalier throws on purpose.
 * `code` is stable and may be matched by programs; the sentence may be reworded.
 * The message reads `where: what was found, what was expected. What to do.`
 */
export class EspalierError extends Error {
  readonly code: string = "ESPALIER";

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** Tensor shapes, dtypes or attributes that do not fit together; found while tracing, never while running. */
export class ShapeError extends EspalierError {
  override readonly code = "SHAPE_MISMATCH";
}

/** A configuration, plan or argument outside what is allowed. */
export class ConfigError extends EspalierError {
  override readonly code = "BAD_CONFIG";
}

/** A file that is missing, unreadable, truncated or not of the expected format. */
export class FileError extends EspalierError {
  override readonly code = "BAD_FILE";
}

/** Text or token data that cannot be used: an empty corpus, a shard of another tokeniser, ids out of range. */
export class DataError extends EspalierError {
  override readonly code = "BAD_DATA";
}

/** A growth that cannot be done, or is not what was asked for: target smaller than source, inexact map. */
export class GrowthError extends EspalierError {
  override readonly code = "BAD_GROWTH";
}

/** No native executor, an unknown instruction path, or a failure reported by native code. */
export class DeviceError extends EspalierError {
  override readonly code = "DEVICE";
}

/** Another process holds the run directory. */
export class LockError extends EspalierError {
  override readonly code = "LOCKED";
}

/** The user asked to stop. */
export class CancelledError extends EspalierError {
  override readonly code = "CANCELLED";
}
