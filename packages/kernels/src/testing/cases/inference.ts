/** Cases of the ops that inference with a key/value cache has beside the others. */
import type { OpCase } from "../opCase.ts";
import { f32, i32 } from "./operands.ts";

const writes: OpCase[] = [
  { R: 1, P: 1, size: [1] },
  { R: 5, P: 9, size: [3, 10] },
  { R: 300, P: 400, size: [130] },
].map(({ R, P, size }) => ({
  op: "writeRows",
  note: `${R} rows of [${size}]`,
  // Backwards, every third nowhere.
  inputs: [f32([R, ...size]), i32([R], (r) => (r % 3 === 2 ? -1 : P - 1 - r))],
  into: [f32([P, ...size])],
}));

const plain = { kind: 0, side: 1, base: 10000, scaleBase: 512, gamma: 0.4, centre: 0 };

const rotations: OpCase[] = [
  { R: 1, N: 1, D: 2 },
  { R: 37, N: 3, D: 10 },
  { R: 130, N: 2, D: 64 },
].flatMap(({ R, N, D }): OpCase[] => {
  const positions = i32([R], (r) => (r * 97) % 2048);
  const kinds = [
    { kind: "rope", attributes: { ...plain, base: 500 }, frequencies: [] },
    { kind: "xpos key", attributes: { ...plain, kind: 1, side: -1, centre: 64 }, frequencies: [] },
    { kind: "frequencies", attributes: plain, frequencies: [f32([D / 2], (i) => 0.9 ** i)] },
  ];
  return [
    ...kinds.map(({ kind, attributes, frequencies }) => ({
      op: "rotaryAngles",
      note: `R ${R} D ${D} ${kind}`,
      inputs: [positions, ...frequencies],
      attributes: { numPairs: D / 2, ...attributes },
    })),
    { op: "rotaryAt", note: `R ${R} N ${N} D ${D}`, inputs: [f32([R, N, D]), f32([R, 2, D / 2])] },
  ];
});

/** Rows of one sequence after the other: `lengths` rows up to position `ends`, whose keys lie scattered in the pool. */
function attention(note: string, sequences: readonly { end: number; rows: number }[], heads: { N: number; G: number; D: number }, scattered: boolean): OpCase {
  const { N, G, D } = heads;
  const positions: number[] = [];
  const starts: number[] = [];
  const keyRows: number[] = [];
  const P = sequences.reduce((sum, { end }) => sum + end, 0) + 3;
  for (const { end, rows } of sequences) {
    for (let i = 0; i < rows; i++) {
      positions.push(end - rows + i);
      starts.push(keyRows.length);
    }
    for (let m = 0; m < end; m++) keyRows.push(scattered ? (keyRows.length * 7) % P : keyRows.length);
  }
  positions.push(-1); // padding
  starts.push(0);
  const R = positions.length;
  return {
    op: "cachedAttention",
    note: `${note} N ${N} G ${G} D ${D}`,
    inputs: [
      f32([R, N, D]),
      f32([P, G, D]),
      f32([P, G, D]),
      i32([R], (r) => positions[r]!),
      i32([R], (r) => starts[r]!),
      i32([keyRows.length], (m) => keyRows[m]!),
    ],
    attributes: { scale: 1 / Math.sqrt(D) },
  };
}

const shapes = [
  { N: 1, G: 1, D: 2 },
  { N: 4, G: 2, D: 20 },
  { N: 6, G: 1, D: 64 },
  { N: 2, G: 2, D: 128 },
];

const attentions: OpCase[] = shapes.flatMap((heads) => [
  attention("first token", [{ end: 1, rows: 1 }], heads, false),
  attention("decoding", [{ end: 5, rows: 1 }, { end: 130, rows: 1 }, { end: 300, rows: 1 }], heads, true),
  attention("prefill", [{ end: 140, rows: 140 }], heads, false),
  attention("both, scattered", [{ end: 33, rows: 33 }, { end: 270, rows: 3 }, { end: 129, rows: 11 }], heads, true),
]);

export const inferenceCases: readonly OpCase[] = [...writes, ...rotations, ...attentions];
