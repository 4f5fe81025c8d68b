import type { ClaimKind, ClaimRow, ReproductionReport } from "@espalier/spec/run";

const kinds: readonly { kind: ClaimKind; title: string }[] = [
  { kind: "trained here", title: "Trained here" },
  { kind: "arithmetic", title: "The paper's arithmetic" },
  { kind: "later issue", title: "Not tested yet" },
];

/** One row per claim of the paper, totals first. */
export function Claims({ claims, totals }: { claims: readonly ClaimRow[]; totals: ReproductionReport["claimTotals"] }) {
  if (claims.length === 0) return null;
  return (
    <section>
      <h2>The paper's claims</h2>
      {kinds.map(({ kind, title }) => {
        const rows = claims.filter((claim) => claim.kind === kind);
        if (rows.length === 0) return null;
        const counts = Object.entries(totals[kind] ?? {}).map(([verdict, count]) => `${count} ${verdict}`);
        return (
          <div key={kind} className="wide">
            <h3>
              {title} <small>{counts.join(" · ")}</small>
            </h3>
            <table className="claims">
              <thead>
                <tr>
                  <th>claim</th>
                  <th>the paper</th>
                  <th>here</th>
                  <th>verdict</th>
                  <th>why</th>
                </tr>
              </thead>
              <tbody>
                {rows.map((row) => (
                  <tr key={row.id}>
                    <td>
                      <code>{row.id}</code>
                    </td>
                    <td>{row.paper}</td>
                    <td>
                      {row.measured}
                      {row.interval && (
                        <small>
                          {" "}
                          [{row.interval[0].toPrecision(3)}, {row.interval[1].toPrecision(3)}]
                        </small>
                      )}
                    </td>
                    <td className={`verdict ${row.verdict.replaceAll(" ", "-")}`}>{row.verdict}</td>
                    <td>
                      {row.why}
                      {row.workings && (
                        <details>
                          <summary>workings</summary>
                          <code>{row.workings}</code>
                        </details>
                      )}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        );
      })}
    </section>
  );
}
