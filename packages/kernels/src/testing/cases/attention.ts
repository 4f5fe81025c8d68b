/** Cases of rotary and causalAttention. */
import type { OpCase } from "../opCase.ts";
import { f32, i32 } from "./operands.ts";

const plain = { kind: 0, side: 1, base: 10000, scaleBase: 512, gamma: 0.4, centre: 0, inverse: 0 };

const rotaryCases: OpCase[] = [
  { B: 1, T: 1, N: 1, D: 2 },
  { B: 2, T: 37, N: 3, D: 10 },
  { B: 2, T: 70, N: 4, D: 24 },
  { B: 1, T: 130, N: 2, D: 64 },
].flatMap(({ B, T, N, D }) =>
  [
    { kind: "rope", attributes: plain },
    { kind: "rope inverse", attributes: { ...plain, inverse: 1, base: 500 } },
    { kind: "xpos query", attributes: { ...plain, kind: 1, centre: 64 } },
    { kind: "xpos key inverse", attributes: { ...plain, kind: 1, side: -1, inverse: 1, centre: 17 } },
    { kind: "frequencies", attributes: plain, frequencies: [f32([D / 2], (i) => 0.9 ** i)] },
  ].map(({ kind, attributes, frequencies = [] }) => ({
    op: "rotary",
    note: `B ${B} T ${T} N ${N} D ${D} ${kind}`,
    inputs: [f32([B, T, N, D]), ...frequencies],
    attributes,
  })),
);

/** Lengths below, at and above the blocks of 8, 16, 32 and 128, grouped heads, and head sizes with every tail. */
const attentionShapes = [
  { B: 1, T: 1, N: 1, G: 1, D: 2 },
  { B: 2, T: 7, N: 2, G: 2, D: 10 },
  { B: 2, T: 16, N: 2, G: 1, D: 12 },
  { B: 3, T: 33, N: 4, G: 2, D: 20 },
  { B: 2, T: 67, N: 3, G: 1, D: 24 },
  { B: 1, T: 150, N: 2, G: 1, D: 16 },
  { B: 1, T: 290, N: 2, G: 2, D: 24 },
  { B: 1, T: 65, N: 2, G: 2, D: 128 },
];

function firstKeys(T: number, b: number): number[] {
  const starts: number[] = [];
  for (let start = 0, i = b; start < T; i++) {
    const length = [1, 5, 40, 3, 70, 17][i % 6]!;
    for (let t = start; t < Math.min(start + length, T); t++) starts.push(start);
    start += length;
  }
  return starts;
}

const causalAttentionCases: OpCase[] = attentionShapes.flatMap(({ B, T, N, G, D }) => {
  const q = f32([B, T, N, D]);
  const kv = f32([B, T, G, D]);
  const attributes = { scale: 1 / Math.sqrt(D) };
  const mixed = i32([B], (b) => [Math.ceil(T / 2), T, 0][b % 3]!);
  // Documents of 1 to 70 tokens, unlike in each sequence.
  const starts = i32([B, T], (i) => firstKeys(T, Math.floor(i / T))[i % T]!);
  return [[], [mixed], [mixed, starts], [i32([B], () => T), starts]].flatMap((lengths): OpCase[] => {
    const masks = ["", " with lengths", " with lengths and starts"][lengths.length]!;
    const note = `B ${B} T ${T} N ${N} G ${G} D ${D}${masks}`;
    // Probabilities of the backward follow from any lse: here they do not sum to 1, and the formulas hold all the same.
    const lse = f32([B, N, T], (i) => 4 + Math.sin(i));
    return [
      { op: "causalAttention", note, inputs: [q, kv, kv, ...lengths], attributes },
      { op: "causalAttentionGrad", note, inputs: [q, kv, kv, q, lse, q, ...lengths], attributes },
    ];
  });
});

export const attentionOpCases: readonly OpCase[] = [...rotaryCases, ...causalAttentionCases];
