import { modelConfig } from "@espalier/spec/model";
import { describe, expect, it } from "vitest";
import { randomParameters, runDecoder } from "./decoder.ts";

const tokens = [1, 4, 2, 2, 0, 6, 3];

describe("the test decoder", () => {
  it.each([
    ["flm", "xpos", true],
    ["llama", "rope", false],
  ] as const)("has gradients that agree with central differences (%s, %s)", (family, kind, tiedHead) => {
    const config = modelConfig({
      family,
      vocabSize: 7,
      seqLen: 8,
      numLayers: 2,
      residualDim: 6,
      ffnDim: 5,
      numKvHeads: 2,
      groupSize: 2,
      headDim: 4,
      position: { kind, scaleBase: 16 },
      tiedHead,
    });
    const tree = randomParameters(config, 5);
    const gates = { "gate.residual": [1, 1, 0.3, 1, 1, 0.3], "gate.ffn": [1, 0.3, 1, 1, 1], "gate.layer.1": [0.3] };
    const { gradients } = runDecoder(config, tree, tokens, gates);
    const step = 1e-5;
    for (const [name, gradient] of Object.entries(gradients)) {
      const i = (name.length * 7) % gradient.length;
      const lossAt = (delta: number) => {
        const moved = { ...tree, [name]: tree[name]!.slice() };
        moved[name]![i]! += delta;
        return runDecoder(config, moved, tokens, gates).loss;
      };
      expect(gradient[i], name).toBeCloseTo((lossAt(step) - lossAt(-step)) / (2 * step), 7);
    }
  });
});
