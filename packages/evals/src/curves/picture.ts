/** Curves and grids as SVG, without scripts or fonts of their own. */

import { ConfigError } from "@espalier/core";
import type { Knob } from "../tasks/task.ts";
import type { DifficultyCurve, DifficultyGrid } from "./difficultyCurve.ts";

const STYLE = `
  svg { --ink: #1d211c; --muted: #6b7067; --line: #dedcd3; --paper: #fbfaf7; --full: #2f7d4f;
    --c0: #33609c; --c1: #b3502f; --c2: #2f7d4f; --c3: #7c5aa6; --c4: #d99a4e; --c5: #2a8b93; }
  @media (prefers-color-scheme: dark) { svg { --ink: #e6e7df; --muted: #969c90; --line: #333932; --paper: #161a17; --full: #5fbf85;
    --c0: #7faae6; --c1: #e58362; --c2: #5fbf85; --c3: #b394dc; --c4: #e3b06f; --c5: #5fc3cb; } }
  text { font: 12px system-ui, sans-serif; fill: var(--ink); } .muted { fill: var(--muted); } .title { font-weight: 600; font-size: 15px; }
  .axis { stroke: var(--line); } .chance { stroke: var(--muted); stroke-dasharray: 4 4; }`;
const COLOURS = 6;
const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [640, 400, 56, 24, 48, 52];

const escapeXml = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
const percent = (share: number) => `${Math.round(100 * share)} %`;

function svgText(x: number, y: number, text: string, { kind = "", anchor = "start" }: { kind?: string; anchor?: "start" | "middle" | "end" } = {}): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}"${kind === "" ? "" : ` class="${kind}"`}>${escapeXml(text)}</text>`;
}

function svgDocument(width: number, height: number, title: string, marks: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>${escapeXml(title)}</title><style>${STYLE}</style>`,
    `<rect width="${width}" height="${height}" fill="var(--paper)"/>`,
    svgText(16, 26, title, { kind: "title" }),
    ...marks,
    "</svg>\n",
  ].join("\n");
}

/** Places of the values between 0 and 1: by size where they are numbers, by its logarithm over a factor of 8, else evenly. */
function scaleOf(values: readonly Knob[]): (value: Knob) => number {
  const numbers = values.filter((value) => typeof value === "number");
  const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
  if (numbers.length < values.length || low === high) return (value) => (values.length === 1 ? 0.5 : values.indexOf(value) / (values.length - 1));
  const place = low > 0 && high / low >= 8 ? Math.log : (n: number) => n;
  return (value) => (place(value as number) - place(low)) / (place(high) - place(low));
}

/**
 * Curves over one knob: points with their 95 % intervals joined by lines, chance dashed.
 *
 * @throws {ConfigError} without curves, or when they are over different knobs
 */
export function curvePicture(curves: readonly DifficultyCurve[], title = curves[0]?.title ?? ""): string {
  const knobs = new Set(curves.map(({ knob }) => knob));
  if (knobs.size !== 1) throw new ConfigError(`curvePicture: the curves are over ${[...knobs].join(", ") || "nothing"}, expected one knob. Draw one picture a knob.`);
  const values = [...new Set(curves.flatMap(({ points }) => points.map(({ value }) => value)))];
  const ordered = values.every((value) => typeof value === "number") ? (values as number[]).sort((a, b) => a - b) : values;
  const scale = scaleOf(ordered);
  const x = (value: Knob) => LEFT + scale(value) * (WIDTH - LEFT - RIGHT);
  const y = (share: number) => HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM);
  const marks = [0, 0.25, 0.5, 0.75, 1].flatMap((share) => [
    `<line class="axis" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(share)}" y2="${y(share)}"/>`,
    svgText(LEFT - 8, y(share) + 4, percent(share), { kind: "muted", anchor: "end" }),
  ]);
  for (const value of ordered) marks.push(svgText(x(value), HEIGHT - BOTTOM + 18, String(value), { kind: "muted", anchor: "middle" }));
  marks.push(svgText((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 14, [...knobs][0], { anchor: "middle" }));
  const line = (points: readonly (readonly [number, number])[]) => points.map(([a, b]) => `${a.toFixed(1)},${b.toFixed(1)}`).join(" ");
  marks.push(`<polyline class="chance" fill="none" points="${line(curves[0].points.map(({ value, chance }) => [x(value), y(chance)]))}"/>`);
  curves.forEach(({ model, scoring, points }, k) => {
    const colour = `var(--c${k % COLOURS})`;
    marks.push(`<polyline fill="none" stroke="${colour}" stroke-width="2" points="${line(points.map(({ value, accuracy }) => [x(value), y(accuracy)]))}"/>`);
    for (const { value, accuracy, interval, correct, items } of points) {
      marks.push(
        `<line stroke="${colour}" x1="${x(value).toFixed(1)}" x2="${x(value).toFixed(1)}" y1="${y(interval[0]).toFixed(1)}" y2="${y(interval[1]).toFixed(1)}"/>`,
        `<circle cx="${x(value).toFixed(1)}" cy="${y(accuracy).toFixed(1)}" r="3.5" fill="${colour}"><title>${escapeXml(`${model}, ${String(value)}: ${correct} of ${items}`)}</title></circle>`,
      );
    }
    marks.push(`<rect x="${LEFT + 8 + 150 * k}" y="34" width="10" height="10" fill="${colour}"/>`, svgText(LEFT + 22 + 150 * k, 43, `${model}, ${scoring}`));
  });
  return svgDocument(Math.max(WIDTH, LEFT + 150 * curves.length), HEIGHT, title, marks);
}

/** A grid as a heat map: each cell says its accuracy, and its colour is the stronger the higher it is. */
export function gridPicture(grid: DifficultyGrid, title = `${grid.title}, ${grid.model}`): string {
  const [w, h] = [72, 34];
  const left = 88;
  const height = TOP + h * grid.y.values.length + BOTTOM;
  const width = Math.max(320, left + w * grid.x.values.length + RIGHT);
  const marks = grid.cells.flatMap((row, j) =>
    row.flatMap(({ accuracy, correct, items }, i) => [
      `<rect x="${left + i * w}" y="${TOP + j * h}" width="${w - 2}" height="${h - 2}" fill="var(--full)" fill-opacity="${(0.06 + 0.8 * accuracy).toFixed(2)}"><title>${correct} of ${items}</title></rect>`,
      svgText(left + i * w + w / 2, TOP + j * h + h / 2 + 4, percent(accuracy), { anchor: "middle" }),
    ]),
  );
  grid.y.values.forEach((value, j) => marks.push(svgText(left - 8, TOP + j * h + h / 2 + 4, String(value), { kind: "muted", anchor: "end" })));
  grid.x.values.forEach((value, i) => marks.push(svgText(left + i * w + w / 2, height - BOTTOM + 18, String(value), { kind: "muted", anchor: "middle" })));
  marks.push(svgText(16, TOP - 6, grid.y.knob, { kind: "muted" }), svgText(left + (w * grid.x.values.length) / 2, height - 14, grid.x.knob, { anchor: "middle" }));
  return svgDocument(width, height, title, marks);
}
