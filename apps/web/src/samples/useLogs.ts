import { useCallback, useRef, useState } from "react";
import type { LogIndex } from "./logIndex.ts";
import { Reader } from "./reader.ts";

export type Side = "a" | "b";

/** A log that was opened: its index, while it is read of what has been read so far. */
export interface OpenLog {
  file: File;
  index?: LogIndex;
  /** The index holds the whole file. */
  isRead?: boolean;
  /** Bytes read and samples found so far. */
  read: { bytes: number; samples: number };
  failed?: string;
}

export type Logs = Partial<Record<Side, OpenLog>>;

const readers: Partial<Record<Side, Reader>> = {};
/** One for each side, so that two logs are read and searched at once; made when a log is first opened there. */
export function readerOf(side: Side): Reader {
  return (readers[side] ??= new Reader());
}

/** Opens logs: the first file becomes A unless A is there, the next B. */
export function useLogs(): { logs: Logs; open: (files: readonly File[], side?: Side) => void; close: (side: Side) => void } {
  const [logs, setLogs] = useState<Logs>({});
  const taken = useRef<Logs>({});
  taken.current = logs;

  const read = useCallback((side: Side, file: File) => {
    const change = (part: Partial<OpenLog>) =>
      setLogs((now) => (now[side]?.file === file ? { ...now, [side]: { ...now[side], ...part } } : now));
    setLogs((now) => ({ ...now, [side]: { file, read: { bytes: 0, samples: 0 } } }));
    readerOf(side)
      .index(
        file,
        (bytes, samples) => change({ read: { bytes, samples } }),
        (index) => change({ index }),
      )
      .result.then(
        (index) => change({ index, isRead: true }),
        (error: Error) => change({ failed: error.message }),
      );
  }, []);

  const open = useCallback(
    (files: readonly File[], side?: Side) => {
      const sides: Side[] = side ? [side, side === "a" ? "b" : "a"] : taken.current.a ? ["b", "a"] : ["a", "b"];
      files.slice(0, 2).forEach((file, i) => read(sides[i]!, file));
    },
    [read],
  );
  const close = useCallback((side: Side) => setLogs(({ [side]: _, ...rest }) => rest), []);
  return { logs, open, close };
}
