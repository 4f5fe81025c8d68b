import type { OpenLog, Side } from "./useLogs.ts";

interface Props {
  side: Side;
  log: OpenLog | undefined;
  onOpen: (files: readonly File[], side?: Side) => void;
  onClose: (side: Side) => void;
}

const megabytes = (bytes: number): string => (bytes < 1e6 ? `${(bytes / 1e3).toFixed(0)} kB` : `${(bytes / 1e6).toLocaleString("en", { maximumFractionDigits: 1 })} MB`);

export const counted = (n: number, what: string): string => `${n.toLocaleString("en")} ${what}${n === 1 ? "" : "s"}`;

/** One of the two logs: its name and how far it has been read, or a button to open it. */
export function LogChip({ side, log, onOpen, onClose }: Props) {
  const letter = side.toUpperCase();
  if (!log) {
    return (
      <label className={`chip open ${side}`}>
        <b>{letter}</b> Open log…
        <input type="file" accept=".jsonl,.json,.ndjson" data-side={side} onChange={(event) => onOpen([...(event.target.files ?? [])], side)} />
      </label>
    );
  }
  const { file, index, isRead, read, failed } = log;
  const state = failed
    ? `cannot be read: ${failed}`
    : isRead && index
      ? `${counted(index.length, "sample")}, ${megabytes(file.size)}${index.skipped > 0 ? `, ${counted(index.skipped, "other line")}` : ""}`
      : `${megabytes(read.bytes)} of ${megabytes(file.size)}`;
  return (
    <div className={`chip ${side}`}>
      <b>{letter}</b>
      <span className="name" title={file.name}>
        {file.name}
      </span>
      <small>{state}</small>
      {!isRead && !failed && <progress max={file.size} value={read.bytes} aria-label={`Reading ${file.name}`} />}
      <button type="button" aria-label={`Close ${letter}`} onClick={() => onClose(side)}>
        ×
      </button>
    </div>
  );
}
