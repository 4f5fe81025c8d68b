/** Cases of the ops that touch every element once: sums, scalings, activations, embeddings. */
import { random } from "@espalier/core";
import type { CaseTensor, OpCase } from "../opCase.ts";
import { accumulations, f32, i32, matrices } from "./operands.ts";

function elementwise(op: string, numInputs: number, attributes = {}): OpCase[] {
  return matrices.map((shape) => ({
    op,
    note: `[${shape}]`,
    inputs: Array.from({ length: numInputs }, () => f32(shape)),
    attributes,
  }));
}

function blends(op: string, numInputs: number): OpCase[] {
  return [0, 0.375, 1].flatMap((m) =>
    elementwise(op, numInputs).map(({ note, inputs }) => ({ op, note: `${note} m ${m}`, inputs: [...inputs, f32([1], () => m)] })),
  );
}

/** Inputs of activations; the error is relative to the largest result, so each set has one order of magnitude. */
const ranges: Record<string, number[]> = {
  "from -8 to 8": Array.from({ length: 1001 }, (_, i) => -8 + 0.016 * i),
  "where 1 + tanh would cancel": [-5, -5.1, -5.2, -5.3],
  "tiny": [0, -0, 1e-38, -1e-38, 1e-4, -1e-4],
  "where exp over- and underflows": [-40, 40, -87, 87, -90, 90, -1e4, 1e4, -1e9, 1e9],
};

const activations: OpCase[] = [
  ...elementwise("gelu", 1),
  ...elementwise("geluGrad", 2),
  ...elementwise("geluErf", 1),
  ...elementwise("geluErfGrad", 2),
  ...elementwise("swiglu", 2),
  ...elementwise("swigluGrad", 3),
  ...Object.entries(ranges).flatMap(([note, values]): OpCase[] => {
    const x = f32([values.length], (i) => values[i]!);
    const ones = f32([values.length], () => 1);
    return [
      { op: "gelu", note, inputs: [x] },
      { op: "geluGrad", note, inputs: [x, ones] },
      { op: "geluErf", note, inputs: [x] },
      { op: "geluErfGrad", note, inputs: [x, ones] },
      { op: "swiglu", note, inputs: [x, ones] },
      { op: "swigluGrad", note, inputs: [x, ones, ones] },
    ];
  }),
];

const columns: OpCase[] = matrices.flatMap(([R, C]): OpCase[] => [
  { op: "addBias", note: `[${R}, ${C}]`, inputs: [f32([R, C]), f32([C])] },
  { op: "scaleColumns", note: `[${R}, ${C}]`, inputs: [f32([R, C]), f32([C])] },
  ...accumulations.map(({ note, accumulate, flag }) => ({
    op: "columnSum",
    note: `[${R}, ${C}] ${note}`,
    inputs: [f32([R, C]), ...flag],
    into: [f32([C])],
    attributes: { accumulate },
  })),
]);

/** Whole numbers in [0, below). */
function indices(shape: number[], below: number): CaseTensor {
  const stream = random(11, "indices", ...shape, below);
  return i32(shape, (i) => stream.integer(i, below));
}

const embeddings: OpCase[] = [
  { B: 1, T: 1, C: 1, V: 1 },
  { B: 2, T: 5, C: 24, V: 7 },
  { B: 3, T: 150, C: 97, V: 50 },
].flatMap(({ B, T, C, V }): OpCase[] => {
  const tokens = indices([B, T], V);
  const note = `B ${B} T ${T} C ${C} V ${V}`;
  return [
    { op: "embedding", note, inputs: [tokens, f32([V, C])], attributes: { factor: 1.7 } },
    ...accumulations.map((mode) => ({
      op: "embeddingGrad",
      note: `${note} ${mode.note}`,
      inputs: [tokens, f32([B, T, C]), ...mode.flag],
      into: [f32([V, C])],
      attributes: { factor: 1.7, accumulate: mode.accumulate },
    })),
    { op: "gatherRows", note, inputs: [f32([B, T, C]), indices([B], T)] },
  ];
});

export const pointwiseCases: readonly OpCase[] = [
  ...elementwise("add", 2),
  ...elementwise("scale", 1, { factor: -0.3 }),
  ...blends("blend", 2),
  ...blends("blendGrad", 1),
  ...activations,
  ...columns,
  ...embeddings,
];
