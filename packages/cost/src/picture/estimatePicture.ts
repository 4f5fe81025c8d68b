import type { RunEstimate } from "../cluster/estimateRun.ts";
import { escapeXml, svgDocument, svgText } from "./svg.ts";

const WIDTH = 860;
const LEFT = 24;
const GIB = 2 ** 30;

interface Bar {
  name: string;
  value: number;
  shown: string;
}

/** One stacked bar with a legend of its parts, largest first; parts below 0.5 % share one entry. */
function stack(y: number, parts: readonly Bar[], scaleTo: number): { marks: string[]; height: number } {
  const total = parts.reduce((sum, part) => sum + part.value, 0);
  const large = parts.filter((part) => part.value >= 0.005 * total).toSorted((a, b) => b.value - a.value);
  const marks: string[] = [];
  let x = LEFT;
  const inner = WIDTH - 2 * LEFT;
  large.forEach((part, i) => {
    const width = (part.value / scaleTo) * inner;
    marks.push(`<rect x="${x.toFixed(1)}" y="${y}" width="${Math.max(0.5, width - 1).toFixed(1)}" height="26" rx="2" fill="var(--c${i % 8})"><title>${escapeXml(`${part.name}: ${part.shown}`)}</title></rect>`);
    x += width;
  });
  const columns = 2;
  large.forEach((part, i) => {
    const cx = LEFT + (i % columns) * (inner / columns);
    const cy = y + 46 + Math.floor(i / columns) * 19;
    marks.push(`<rect x="${cx}" y="${cy - 9}" width="10" height="10" rx="2" fill="var(--c${i % 8})"/>`, svgText(cx + 17, cy, part.name), svgText(cx + inner / columns - 24, cy, part.shown, { class: "muted", anchor: "end" }));
  });
  return { marks, height: 46 + Math.ceil(large.length / columns) * 19 };
}

/** An estimate as a picture: seconds of a step by part, memory of the fullest stage by part against the device. */
export function estimatePicture(title: string, { step, memory, cost }: RunEstimate): string {
  const fullest = memory.stages.reduce((a, b) => (b.bytes > a.bytes ? b : a));
  const marks = [svgText(LEFT, 34, title, { class: "title" })];
  marks.push(svgText(LEFT, 54, `${cost.days.value.toFixed(1)} days (${cost.days.low.toFixed(1)} to ${cost.days.high.toFixed(1)}), ${Math.round(cost.usd.value).toLocaleString("en")} USD (${Math.round(cost.usd.low).toLocaleString("en")} to ${Math.round(cost.usd.high).toLocaleString("en")})`, { class: "muted" }));
  let y = 84;
  marks.push(svgText(LEFT, y, `One step: ${step.seconds.toFixed(2)} s (80 % interval ${step.interval[0].toFixed(2)} to ${step.interval[1].toFixed(2)})`));
  const seconds = stack(y + 10, step.parts.map(({ name, seconds: s }) => ({ name, value: s, shown: `${s.toPrecision(3)} s, ${((100 * s) / step.seconds).toFixed(1)} %` })), step.seconds);
  marks.push(...seconds.marks);
  y += 10 + seconds.height + 32;
  marks.push(svgText(LEFT, y, `Fullest stage: ${(memory.peakBytes / GIB).toFixed(1)} of ${(memory.deviceBytes / GIB).toFixed(0)} GiB${memory.fits ? "" : ", does not fit"}`));
  const bytes = stack(y + 10, fullest.parts.map(({ name, bytes: b }) => ({ name, value: b, shown: `${(b / GIB).toFixed(2)} GiB` })), Math.max(memory.deviceBytes, memory.peakBytes));
  const edge = LEFT + ((WIDTH - 2 * LEFT) * memory.deviceBytes) / Math.max(memory.deviceBytes, memory.peakBytes);
  marks.push(...bytes.marks, `<line x1="${edge.toFixed(1)}" x2="${edge.toFixed(1)}" y1="${y + 6}" y2="${y + 40}" stroke="var(--ink)" stroke-width="1.5"/>`);
  y += 10 + bytes.height + 12;
  return svgDocument(WIDTH, y, title, marks);
}
