import type { StageRow } from "./stages.ts";

const WIDTH = 860;
const ROW = 34;
const LABEL = 230;
const PADDING = 28;
const LEGEND = 200;
const COLOURS = ["#b9b6ab", "#7aa53a", "#2f7d4f", "#33609c", "#8a4fa3", "#b3502f"];

const escape = (text: string) =>
  text.replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]!);

/** An SVG picture: for each task a dot with its interval a stage, and a line at chance. Shares only. */
export function stagesPicture(rows: readonly StageRow[], stages: readonly string[], title: string): string {
  const shown = rows.filter(({ cells }) => cells.every(({ value }) => value >= 0 && value <= 1));
  const perLine = Math.floor((WIDTH - LABEL) / LEGEND);
  const top = 78 + 20 * (Math.ceil(stages.length / perLine) - 1);
  const height = top + shown.length * ROW + 40;
  const x = (share: number) => LABEL + share * (WIDTH - LABEL - PADDING);
  const colour = (i: number) => COLOURS[i % COLOURS.length]!;
  const ticks = [0, 0.25, 0.5, 0.75, 1].map(
    (share) =>
      `<line class="grid" x1="${x(share)}" x2="${x(share)}" y1="${top - 6}" y2="${height - 34}"/><text class="tick" x="${x(share)}" y="${height - 16}" text-anchor="middle">${100 * share} %</text>`,
  );
  const legend = stages.map(
    (name, i) =>
      `<g transform="translate(${LABEL + (i % perLine) * LEGEND} ${52 + 20 * Math.floor(i / perLine)})"><circle r="5" fill="${colour(i)}"/><text x="10" y="4">${escape(name)}</text></g>`,
  );
  const body = shown.map(({ task, metric, chance, cells }, r) => {
    const y = top + r * ROW + ROW / 2;
    const step = Math.min(7, (ROW - 8) / Math.max(1, cells.length));
    const dots = cells.map(({ value, interval }, i) => {
      const at = y + (i - (cells.length - 1) / 2) * step;
      const bar =
        interval === null || interval.some(Number.isNaN)
          ? ""
          : `<line x1="${x(interval[0])}" x2="${x(interval[1])}" y1="${at}" y2="${at}" stroke="${colour(i)}" stroke-width="1.5"/>`;
      return `${bar}<circle cx="${x(value)}" cy="${at}" r="3.5" fill="${colour(i)}"><title>${escape(`${stages[i]}: ${(100 * value).toFixed(1)} %`)}</title></circle>`;
    });
    const floor =
      chance === null
        ? ""
        : `<line class="chance" x1="${x(chance)}" x2="${x(chance)}" y1="${y - ROW / 2 + 3}" y2="${y + ROW / 2 - 3}"/>`;
    return `<g><text x="${LABEL - 12}" y="${y - 3}" text-anchor="end">${escape(task)}<tspan class="metric" x="${LABEL - 12}" dy="14">${escape(metric)}</tspan></text>${floor}${dots.join("")}</g>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" font-size="12">
<style>
svg { background: #fbfaf7; } text { fill: #1d211c; } .grid { stroke: #e3e1d9; } .tick, .metric { fill: #74796f; font-size: 11px; } .chance { stroke: #a23a22; stroke-width: 2; }
@media (prefers-color-scheme: dark) { svg { background: #161a17; } text { fill: #e6e7df; } .grid { stroke: #333932; } .tick, .metric { fill: #969c90; } .chance { stroke: #ee8d74; } }
</style>
<text x="${PADDING}" y="24" font-size="15" font-weight="600">${escape(title)}</text>
<text class="tick" x="${PADDING}" y="52">95 % intervals; red: chance</text>
${[...legend, ...ticks, ...body].join("\n")}
</svg>
`;
}
