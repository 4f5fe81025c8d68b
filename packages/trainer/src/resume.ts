import { relative } from "node:path";
import { FileError } from "@espalier/core";
import { type Checkpoint, openCheckpoint } from "./checkpoint.ts";
import { listCheckpoints } from "./runDirectory.ts";

/** Where a run can be continued from. */
export interface ResumePoint {
  /** Absent: from the start. */
  checkpoint: Checkpoint | undefined;
  /** Newer checkpoints that cannot be trusted, newest first. */
  passedOver: { path: string; step: number; reason: string }[];
}

/**
 * The newest checkpoint of a run that passes its checks.
 *
 * @throws {FileError} when there are checkpoints and none of them passes: starting again would hide the loss
 */
export async function newestCheckpoint(directory: string): Promise<ResumePoint> {
  const passedOver: ResumePoint["passedOver"] = [];
  for (const { path, step } of listCheckpoints(directory).reverse()) {
    try {
      return { checkpoint: await openCheckpoint(path), passedOver };
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      passedOver.push({ path: relative(directory, path), step, reason: error.message });
    }
  }
  if (passedOver.length > 0) {
    throw new FileError(`${directory}: none of ${passedOver.length} checkpoints can be used. The newest: ${passedOver[0]!.reason}`);
  }
  return { checkpoint: undefined, passedOver };
}
