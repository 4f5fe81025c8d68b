import type { ReactNode } from "react";

export interface Row {
  key: string;
  cells: readonly ReactNode[];
}

/**
 * A table in a region that scrolls by itself, with the keyboard too. On a narrow window a row is a card, its cells lines
 * behind their headings.
 */
export function Table({ label, headings, rows, className }: { label: string; headings: readonly string[]; rows: readonly Row[]; className?: string }) {
  return (
    <div className="wide" role="region" aria-label={label} tabIndex={0}>
      <table className={className ? `cards ${className}` : "cards"} aria-label={label}>
        <thead>
          <tr>
            {headings.map((heading) => (
              <th key={heading} scope="col">
                {heading}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ key, cells }) => (
            <tr key={key}>
              {cells.map((cell, i) => (
                <td key={headings[i]} data-label={headings[i]}>
                  <div>{cell}</div>
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
