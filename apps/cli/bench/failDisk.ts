/**
 * Loaded before a command: its n-th change of the disk, and every later one, finds the disk full (`FAIL_DISK_AT=n`).
 * Only the command's own thread is touched: runs train in processes of their own, which have a soak of their own.
 */
import { isMainThread } from "node:worker_threads";
import { disk, intercept } from "@espalier/core/node";

const at = Number(process.env.FAIL_DISK_AT);
delete process.env.FAIL_DISK_AT; // not for the processes it starts
if (isMainThread && at > 0) {
  let count = 0;
  const full = intercept({ ...disk }, (operation) => {
    if (operation === "remove" || ++count < at) return; // a full disk still lets files go
    throw Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC", errno: -28, syscall: operation });
  });
  const { open, rename, remove, makeDirectory, syncDirectory } = full;
  Object.assign(disk, { open, rename, remove, makeDirectory, syncDirectory });
}
