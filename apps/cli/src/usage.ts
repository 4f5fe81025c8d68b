import { ConfigError, EspalierError, GrowthError } from "@espalier/core";

/**
 * A command line that cannot be meant: a missing argument, two that contradict each other, a value that names nothing. It can
 * be said from the words alone, without a look at a file, a model or the machine; whatever needs that look is a failure.
 */
export class UsageError extends EspalierError {
  override readonly code = "BAD_USAGE";
}

/** What a package refuses of the words it was given. */
const asUsage = (error: unknown): unknown => (error instanceof ConfigError || error instanceof GrowthError ? new UsageError(error.message, { cause: error }) : error);

/**
 * Reads words of the command line by a function of a package, which cannot know where its argument comes from.
 *
 * @throws {UsageError} in place of the function's ConfigError or GrowthError
 */
export function usage<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw asUsage(error);
  }
}

/** As `usage`, the body of a command that computes with words alone: whatever configuration it cannot take is wrong usage. */
export function wordsAlone<Input extends unknown[]>(body: (...input: Input) => Promise<void>): (...input: Input) => Promise<void> {
  return async (...input) => {
    try {
      await body(...input);
    } catch (error) {
      throw asUsage(error);
    }
  };
}
