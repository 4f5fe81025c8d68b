import { type DragEvent, useCallback, useEffect, useMemo, useState } from "react";
import { counted, LogChip } from "./LogChip.tsx";
import { filterRows, pairLogs, placeOf, type Show, tally } from "./rows.ts";
import { SampleDetail } from "./SampleDetail.tsx";
import { SampleList } from "./SampleList.tsx";
import { Summary } from "./Summary.tsx";
import { type OpenLog, useLogs } from "./useLogs.ts";
import { type Search, useSearch } from "./useSearch.ts";

const SHOWS: readonly { show: Show; label: string; needsB?: boolean }[] = [
  { show: "all", label: "All" },
  { show: "wrongA", label: "A wrong" },
  { show: "wrongB", label: "B wrong", needsB: true },
  { show: "differ", label: "Differ", needsB: true },
];

/** Samples of one model's run, or of two side by side. Files stay on this machine. */
export function Viewer() {
  const { logs, open, close } = useLogs();
  const [show, setShow] = useState<Show>("all");
  const [query, setQuery] = useState("");
  const [task, setTask] = useState("");
  const [chosenScore, setScore] = useState("");
  /** The row, not its place in the list: rows that a search finds before it do not push another one under the reader. */
  const [selected, setSelected] = useState(0);
  const [dragging, setDragging] = useState(false);

  // Of a log still being read, the rows so far are shown alone; beside another they would pair with what is not there yet.
  const usable = (log: OpenLog | undefined, other: OpenLog | undefined) => (log?.isRead || !other ? log?.index : undefined);
  const [a, b] = [usable(logs.a, logs.b), usable(logs.b, logs.a)];
  const rows = useMemo(() => pairLogs(a, b), [a, b]);
  const scores = useMemo(() => [...new Set([...(a?.scoreNames ?? []), ...(b?.scoreNames ?? [])])], [a, b]);
  const tasks = useMemo(() => [...new Set([...(a?.taskNames ?? []), ...(b?.taskNames ?? [])])].sort(), [a, b]);
  const score = scores.includes(chosenScore) ? chosenScore : (scores[0] ?? "");
  const search = useSearch(logs, query);
  const kept = useMemo(
    () => filterRows(rows, a, b, { show, score, task, ...(search.found ? { found: search.found } : {}) }),
    [rows, a, b, show, score, task, search.found],
  );
  const counts = useMemo(() => tally(rows, a, b, { score, task }), [rows, a, b, score, task]);
  const at = placeOf(kept, selected);
  const select = useCallback((place: number) => setSelected(kept[place] ?? 0), [kept]);
  // Not with every row: while a log is read or searched rows are added, and whoever reads the first ones goes on.
  useEffect(() => setSelected(0), [show, score, task, query, logs.a?.file, logs.b?.file]);

  const onKey = useCallback(
    (event: KeyboardEvent) => {
      if (event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement) return;
      const pages = { PageDown: 10, PageUp: -10, End: Infinity, Home: -Infinity };
      // Elsewhere these keys scroll the prompt.
      const inList = event.target instanceof Element && event.target.closest(".list") !== null;
      const step = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1, ...(inList ? pages : {}) }[event.key];
      if (step === undefined) return;
      event.preventDefault();
      select(Math.min(kept.length - 1, Math.max(0, at + step)));
    },
    [kept.length, at, select],
  );
  useEffect(() => {
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, [onKey]);

  const drop = {
    onDragOver: (event: DragEvent) => {
      event.preventDefault();
      setDragging(true);
    },
    onDragLeave: () => setDragging(false),
    onDrop: (event: DragEvent) => {
      event.preventDefault();
      setDragging(false);
      open([...event.dataTransfer.files]);
    },
  };
  const opened = [logs.a, logs.b].filter((log) => log !== undefined);
  // Logs that hold nothing to show have no list to filter, but a reason.
  const barren = opened.length > 0 && opened.every(({ index, isRead, failed }) => failed !== undefined || (isRead && index?.length === 0));
  return (
    <div className={`viewer${dragging ? " dragging" : ""}`} {...drop}>
      <header>
        <h1>Samples</h1>
        <LogChip side="a" log={logs.a} onOpen={open} onClose={close} />
        <LogChip side="b" log={logs.b} onOpen={open} onClose={close} />
      </header>
      {opened.length > 0 && !barren ? (
        <>
          <Summary counts={counts} hasB={b !== undefined} score={score} />
          <div className="controls">
            <input type="search" aria-label="Search" placeholder="Search prompts and answers" value={query} onChange={(event) => setQuery(event.target.value)} />
            <div className="segments" role="group" aria-label="Which samples">
              {SHOWS.filter(({ needsB }) => !needsB || b).map(({ show: each, label }) => (
                <button key={each} type="button" aria-pressed={show === each} onClick={() => setShow(each)}>
                  {label}
                </button>
              ))}
            </div>
            <select aria-label="Task" value={task} onChange={(event) => setTask(event.target.value)}>
              <option value="">{tasks.length === 1 ? tasks[0] : `All ${tasks.length} tasks`}</option>
              {tasks.length > 1 && tasks.map((name) => <option key={name}>{name}</option>)}
            </select>
            <select aria-label="Score" value={score} onChange={(event) => setScore(event.target.value)}>
              {scores.map((name) => (
                <option key={name}>{name}</option>
              ))}
            </select>
            <output>{stateOf(search, kept.length, rows.a.length)}</output>
            {search.progress !== undefined && !search.isStopped && (
              <>
                <progress value={search.progress} aria-label="Searching" />
                <button type="button" className="stop" onClick={search.stop}>
                  Stop
                </button>
              </>
            )}
          </div>
          <div className="panes">
            <SampleList logs={logs} rows={rows} kept={kept} score={score} selected={at} onSelect={select} />
            <SampleDetail logs={logs} rows={rows} row={kept[at]} query={query} />
          </div>
        </>
      ) : (
        <section className="empty">
          {barren ? (
            opened.map(({ file, index, failed }) => (
              <p key={file.name} role="alert">
                {file.name}:{" "}
                {failed !== undefined
                  ? `cannot be read (${failed}). Open it anew.`
                  : file.size === 0
                    ? "is empty. The evaluation has not answered an item yet."
                    : `holds no sample, but ${counted(index!.skipped, "other line")}. Open a log in one of the forms below.`}
              </p>
            ))
          ) : (
            <p>Drop one sample log here, or two to compare models item by item.</p>
          )}
          <p className="hint">
            <code>iq.jsonl</code> and <code>knowledge.jsonl</code> of <code>espalier eval --out</code>, or <code>samples_*.jsonl</code> of lm-evaluation-harness. Files of any size: they are indexed
            where they are and never leave this machine.
          </p>
        </section>
      )}
    </div>
  );
}

/** How many rows are shown, and how far a search has come. */
function stateOf({ found, progress, isStopped, failed }: Search, kept: number, all: number): string {
  const counts = `${kept.toLocaleString("en")} of ${all.toLocaleString("en")}`;
  if (failed !== undefined) return `${counts}; the search failed (${failed})`;
  if (progress === undefined) return counts;
  const share = `${Math.round(100 * progress)} %`;
  if (isStopped) return `${counts}, stopped at ${share}`;
  return found ? `${counts}, searching ${share}` : `searching ${share}`;
}
