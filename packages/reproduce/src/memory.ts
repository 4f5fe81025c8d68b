import { readFile } from "node:fs/promises";

/** Highest and present resident memory of a process, or null where the platform does not say (only Linux does). */
async function resident(pid: number): Promise<{ peakBytes: number; presentBytes: number } | null> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  const kilobytes = (key: string) => Number(new RegExp(`${key}:\\s+(\\d+) kB`).exec(status)?.[1] ?? NaN);
  const [peak, present] = [kilobytes("VmHWM"), kilobytes("VmRSS")];
  return Number.isNaN(peak) ? null : { peakBytes: 1024 * peak, presentBytes: 1024 * present };
}

export interface MemoryWatch {
  stop(): number;
}

/** Follows a process until it ends; `stop` gives the highest resident memory that was seen, 0 where it cannot be read. */
export function watchMemory(pid: number, everyMs = 100): MemoryWatch {
  let peakBytes = 0;
  const look = async () => {
    peakBytes = Math.max(peakBytes, (await resident(pid))?.peakBytes ?? 0);
  };
  void look();
  const timer = setInterval(() => void look(), everyMs);
  timer.unref();
  return {
    stop() {
      clearInterval(timer);
      return peakBytes;
    },
  };
}
