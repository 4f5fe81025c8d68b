import type { PipelineSimulation, TimedOperation } from "../simulation/simulatePipeline.ts";
import { escapeXml, svgDocument, svgText } from "./svg.ts";

const WIDTH = 860;
const LEFT = 70;
const RIGHT = 24;
const ROW = 24;
const TOP = 84;

const COLOURS = { F: "--c0", B: "--c1", W: "--c3" } as const;
const NAMES = { F: "forward", B: "backward", W: "weight gradients" } as const;

/** One step of a pipeline over time, a row a rank; empty is waiting. Later pieces of an interleaved rank are paler. */
export function pipelinePicture(title: string, simulation: PipelineSimulation): string {
  const { operations, seconds, idleSeconds } = simulation;
  const numRanks = 1 + Math.max(...operations.map(({ rank }) => rank));
  const numPieces = 1 + Math.max(...operations.map(({ piece }) => piece));
  const scale = (WIDTH - LEFT - RIGHT) / seconds;
  const marks = [
    svgText(24, 34, title, { class: "title" }),
    svgText(24, 54, `${seconds.toPrecision(3)} s, of which a rank waits ${idleSeconds.toPrecision(3)} s (${((100 * idleSeconds) / seconds).toFixed(1)} %)`, { class: "muted" }),
  ];
  for (let rank = 0; rank < numRanks; rank++) marks.push(svgText(LEFT - 10, TOP + rank * ROW + 15, `rank ${rank}`, { class: "muted", anchor: "end" }));
  const rect = ({ kind, microBatch, piece, rank, start, end }: TimedOperation) => {
    const width = Math.max(0.3, (end - start) * scale - 0.6);
    const name = `rank ${rank}, micro-batch ${microBatch}${numPieces > 1 ? `, piece ${piece}` : ""}: ${NAMES[kind]}, ${start.toPrecision(3)} to ${end.toPrecision(3)} s`;
    return `<rect x="${(LEFT + start * scale).toFixed(1)}" y="${TOP + rank * ROW}" width="${width.toFixed(1)}" height="${ROW - 4}" fill="var(${COLOURS[kind]})" fill-opacity="${(1 - (0.6 * piece) / numPieces).toFixed(2)}"><title>${escapeXml(name)}</title></rect>`;
  };
  marks.push(...operations.map(rect));
  const bottom = TOP + numRanks * ROW;
  for (let i = 0; i <= 4; i++) {
    const at = (seconds * i) / 4;
    marks.push(svgText(LEFT + at * scale, bottom + 16, `${Number(at.toPrecision(3))} s`, { class: "muted", anchor: i === 0 ? "start" : i === 4 ? "end" : "middle" }));
  }
  const kinds = (["F", "B", "W"] as const).filter((kind) => operations.some((operation) => operation.kind === kind));
  kinds.forEach((kind, i) => marks.push(`<rect x="${LEFT + i * 150}" y="${bottom + 32}" width="10" height="10" rx="2" fill="var(${COLOURS[kind]})"/>`, svgText(LEFT + 17 + i * 150, bottom + 41, NAMES[kind])));
  return svgDocument(WIDTH, bottom + 58, title, marks);
}
