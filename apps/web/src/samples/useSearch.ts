import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import type { LogIndex } from "./logIndex.ts";
import type { Job } from "./reader.ts";
import type { Found } from "./rows.ts";
import { type Logs, readerOf, type Side } from "./useLogs.ts";

export interface Search {
  /** Samples found so far. */
  found?: Found;
  /** Share of the files read, while it goes on or where it was stopped. */
  progress?: number;
  isStopped?: boolean;
  failed?: string;
}

const SIDES: readonly Side[] = ["a", "b"];
/** Typing goes on, milliseconds. */
const PAUSE = 200;
/** Least time between two pictures of a search, milliseconds: each filters all rows. */
const PICTURE = 150;

/** Searches both logs for a text, from scratch at each change after a pause in typing. */
export function useSearch(logs: Logs, query: string): Search & { stop: () => void } {
  const [search, setSearch] = useState<Search>({});
  const stopJobs = useRef(() => {});
  const read = useMemo(
    () => SIDES.map((side) => (logs[side]?.isRead && logs[side].index ? { side, file: logs[side].file, index: logs[side].index } : undefined)),
    [logs.a?.file, logs.a?.isRead, logs.b?.file, logs.b?.isRead],
  );
  useEffect(() => {
    if (query.trim() === "") {
      setSearch({});
      return;
    }
    const parts = read.filter((part) => part !== undefined);
    if (parts.length === 0) {
      setSearch({ progress: 0 }); // begins once a log has been read
      return;
    }
    let jobs: Job<true>[] = [];
    let picture: ReturnType<typeof setTimeout> | undefined;
    let isOver = false;
    const start = () => {
      const flags: Found = { a: keysFound(read[0]?.index, query), b: keysFound(read[1]?.index, query) };
      const done: Record<Side, number> = { a: 0, b: 0 };
      const total = parts.reduce((sum, { file }) => sum + file.size, 0) || 1;
      const show = (end?: Search) => {
        if (isOver) return;
        if (end) isOver = true;
        clearTimeout(picture);
        picture = undefined;
        setSearch({ found: { ...flags }, ...(end ?? { progress: (done.a + done.b) / total }) });
      };
      const showSoon = () => (picture ??= setTimeout(show, PICTURE));
      show();
      jobs = parts.map(({ side, file, index }) =>
        readerOf(side).search(
          file,
          index,
          query,
          (samples) => {
            for (const sample of samples) flags[side][sample] = 1;
            showSoon();
          },
          (bytes) => {
            done[side] = bytes;
            showSoon();
          },
        ),
      );
      Promise.all(jobs.map(({ result }) => result)).then(
        () => show({}),
        (error: Error) => show({ failed: error.message }),
      );
      stopJobs.current = () => {
        for (const job of jobs) job.stop();
        show({ progress: (done.a + done.b) / total, isStopped: true });
      };
    };
    const timer = setTimeout(start, PAUSE);
    return () => {
      isOver = true;
      clearTimeout(timer);
      clearTimeout(picture);
      for (const job of jobs) job.stop();
      stopJobs.current = () => {};
    };
  }, [read, query]);
  return { ...search, stop: useCallback(() => stopJobs.current(), []) };
}

/** Flags of the samples whose key has the text: the index knows without the file. */
function keysFound(index: LogIndex | undefined, query: string): Uint8Array {
  const wanted = query.toLowerCase();
  return Uint8Array.from(index?.keys ?? [], (key) => (key.toLowerCase().includes(wanted) ? 1 : 0));
}
