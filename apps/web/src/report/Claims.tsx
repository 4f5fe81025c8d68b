import type { ClaimKind, ClaimRow, ClaimVerdict } from "@espalier/spec/run";
import { useState } from "react";
import { range } from "../format.ts";
import { Table } from "./Table.tsx";

/** Failures first: they are what a reader must not overlook. */
export const verdicts: readonly ClaimVerdict[] = ["contradicted", "inconclusive", "not testable here", "reproduced", "exact"];

const kinds: readonly { kind: ClaimKind; title: string; interval: string }[] = [
  { kind: "trained here", title: "Trained here", interval: "95 %" },
  { kind: "arithmetic", title: "The paper's arithmetic", interval: "rounding allows" },
  { kind: "later issue", title: "Not tested yet", interval: "" },
];

export const countOf = (claims: readonly ClaimRow[], verdict: ClaimVerdict) => claims.filter((row) => row.verdict === verdict).length;

/** How the claims came out, as one bar and its counts. */
export function Verdicts({ claims }: { claims: readonly ClaimRow[] }) {
  if (claims.length === 0) return null;
  const present = verdicts.toReversed().filter((verdict) => countOf(claims, verdict) > 0);
  return (
    <a className="verdicts" href="#claims">
      <span className="verdict-bar" aria-hidden="true">
        {present.map((verdict) => (
          <i key={verdict} className={verdict.replaceAll(" ", "-")} style={{ flexGrow: countOf(claims, verdict) }} />
        ))}
      </span>
      <span>
        <b>{claims.length} claims of the paper:</b>{" "}
        {present.map((verdict, i) => (
          <span key={verdict}>
            {i > 0 && " · "}
            <span className={`verdict ${verdict.replaceAll(" ", "-")}`}>
              {countOf(claims, verdict)} {verdict}
            </span>
          </span>
        ))}
      </span>
    </a>
  );
}

/** One row per claim of the paper; all, or those of one verdict. */
export function Claims({ claims }: { claims: readonly ClaimRow[] }) {
  const [only, setOnly] = useState<ClaimVerdict | null>(null);
  if (claims.length === 0) return null;
  return (
    <section id="claims">
      <h2>The paper's claims</h2>
      <p>
        <i>exact</i>: the paper's digits come out. <i>reproduced</i>: the direction holds with its interval, or the digits within their
        rounding. <i>contradicted</i>: they do not. <i>inconclusive</i>: the interval allows both.
      </p>
      <div className="controls">
        <div role="group" aria-label="verdict">
          {[null, ...verdicts].map((verdict) => (
            <button key={verdict} type="button" aria-pressed={only === verdict} onClick={() => setOnly(verdict)}>
              {verdict ?? "all"} {verdict ? countOf(claims, verdict) : claims.length}
            </button>
          ))}
        </div>
      </div>
      {kinds.map(({ kind, title, interval }) => {
        const rows = claims.filter((row) => row.kind === kind);
        const shown = rows.filter((row) => only === null || row.verdict === only);
        if (shown.length === 0) return null;
        const counts = verdicts.filter((verdict) => countOf(rows, verdict) > 0).map((verdict) => `${countOf(rows, verdict)} ${verdict}`);
        return (
          <div key={kind}>
            <h3>
              {title} <small>{counts.join(" · ")}</small>
            </h3>
            <Table
              label={title}
              className="claims"
              headings={["claim", "the paper", "here", "verdict", "why"]}
              rows={shown.map((row) => ({
                key: row.id,
                cells: [
                  <code>{row.id}</code>,
                  row.paper,
                  <>
                    {row.measured} {row.interval && row.interval[0] !== row.interval[1] && <small>({interval}: {range(row.interval)})</small>}
                  </>,
                  <span className={`verdict ${row.verdict.replaceAll(" ", "-")}`}>{row.verdict}</span>,
                  <>
                    {row.why}
                    {row.workings && (
                      <details>
                        <summary>workings</summary>
                        <code>{row.workings}</code>
                      </details>
                    )}
                  </>,
                ],
              }))}
            />
          </div>
        );
      })}
    </section>
  );
}
