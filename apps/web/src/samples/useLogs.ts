import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import type { LogIndex } from "./logIndex.ts";
import { type Job, Reader } from "./reader.ts";

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

let shared: Reader | undefined;
/** Made when a log is first opened. */
export function reader(): Reader {
  return (shared ??= new Reader());
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
    reader()
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

export interface Search {
  found?: { a: ReadonlySet<number>; b: ReadonlySet<number> };
  /** Share of the files read, while it goes on. */
  progress?: number;
}

/** Searches both logs for a text, from scratch at each change after a pause in typing. */
export function useSearch(logs: Logs, query: string): Search {
  const [search, setSearch] = useState<Search>({});
  const files = useMemo(() => [logs.a?.isRead ? logs.a.file : undefined, logs.b?.isRead ? logs.b.file : undefined] as const, [logs.a?.file, logs.a?.isRead, logs.b?.file, logs.b?.isRead]);
  useEffect(() => {
    if (query.trim() === "") {
      setSearch({});
      return;
    }
    if (files.every((file) => file === undefined)) {
      setSearch({ progress: 0 }); // begins once a log has been read
      return;
    }
    const jobs: Job<Uint32Array>[] = [];
    const timer = setTimeout(() => {
      const total = files.reduce((sum, file) => sum + (file?.size ?? 0), 0) || 1;
      const done = [0, 0];
      setSearch((now) => ({ ...now, progress: 0 }));
      const results = files.map((file, i) => {
        if (!file) return Promise.resolve(new Uint32Array(0));
        const job = reader().search(file, query, (bytes) => {
          done[i] = bytes;
          setSearch((now) => ({ ...now, progress: (done[0]! + done[1]!) / total }));
        });
        jobs.push(job);
        return job.result;
      });
      void Promise.all(results).then(([a, b]) => setSearch({ found: { a: new Set(a), b: new Set(b) } }));
    }, 250);
    return () => {
      clearTimeout(timer);
      for (const job of jobs) job.stop();
    };
  }, [files, query]);
  return search;
}
