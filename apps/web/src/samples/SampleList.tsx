import { useEffect, useLayoutEffect, useRef, useState } from "react";
import { askedLine } from "./askedLine.ts";
import { markOf, type Rows } from "./rows.ts";
import type { Logs } from "./useLogs.ts";
import { useSample } from "./useSample.ts";

const ROW = 58;
/** A page may not be taller than browsers can lay out (about 16 million pixels): beyond, the scroll bar is scaled. */
const TALLEST = 8_000_000;

interface Props {
  logs: Logs;
  rows: Rows;
  /** Rows that the filter leaves. */
  kept: Uint32Array;
  score: string;
  selected: number;
  onSelect: (at: number) => void;
}

/** The list: only rows in sight exist and are read. */
export function SampleList({ logs, rows, kept, score, selected, onSelect }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [{ top, height }, setView] = useState({ top: 0, height: 600 });
  const full = kept.length * ROW;
  const shown = Math.min(full, TALLEST);
  const scale = shown <= height ? 1 : (full - height) / (shown - height);

  useLayoutEffect(() => {
    const element = box.current!;
    const measure = () => setView({ top: element.scrollTop, height: element.clientHeight });
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  useEffect(() => {
    const element = box.current!;
    const from = selected * ROW;
    const offset = element.scrollTop * scale;
    if (from < offset) element.scrollTop = from / scale;
    else if (from + ROW > offset + element.clientHeight) element.scrollTop = (from + ROW - element.clientHeight) / scale;
  }, [selected, scale]);

  const offset = top * scale;
  const first = Math.max(0, Math.floor(offset / ROW) - 4);
  const last = Math.min(kept.length, Math.ceil((offset + height) / ROW) + 4);
  return (
    <div className="list" ref={box} role="listbox" aria-label="Samples" tabIndex={0} onScroll={(event) => setView({ top: event.currentTarget.scrollTop, height: event.currentTarget.clientHeight })}>
      <div style={{ height: shown, position: "relative" }}>
        {Array.from({ length: Math.max(0, last - first) }, (_, k) => first + k).map((at) => (
          <div key={at} className="slot" style={{ transform: `translateY(${top + at * ROW - offset}px)`, height: ROW }}>
            <Row logs={logs} rows={rows} row={kept[at]!} score={score} selected={at === selected} onSelect={() => onSelect(at)} />
          </div>
        ))}
      </div>
      {kept.length === 0 && <p className="hint">No sample matches.</p>}
    </div>
  );
}

function Row({ logs, rows, row, score, selected, onSelect }: { logs: Logs; rows: Rows; row: number; score: string; selected: boolean; onSelect: () => void }) {
  const [i, j] = [rows.a[row]!, rows.b[row]!];
  const fromA = useSample(logs.a, i);
  const fromB = useSample(i < 0 ? logs.b : undefined, j);
  const sample = fromA ?? fromB;
  return (
    <div className="row" role="option" aria-selected={selected} onClick={onSelect}>
      <span className="marks">
        {logs.a && <Mark side="a" right={markOf(logs.a.index, i, score)} />}
        {logs.b && <Mark side="b" right={markOf(logs.b.index, j, score)} />}
      </span>
      <span className="text">
        <span className="line">{sample ? askedLine(sample.prompt) : "…"}</span>
        <small>{sample ? `${sample.task} → ${sample.target}` : "\u00a0"}</small>
      </span>
    </div>
  );
}

export function Mark({ side, right }: { side: "a" | "b"; right: boolean | undefined }) {
  const state = right === undefined ? "none" : right ? "right" : "wrong";
  return (
    <i className={`mark ${side} ${state}`} role="img" aria-label={`${side.toUpperCase()} ${right === undefined ? "not scored" : state}`}>
      {right === undefined ? "·" : right ? "✓" : "✗"}
    </i>
  );
}
