import { DataError } from "@espalier/core";
import { type ReferenceOp, lastAxis, startGradient } from "./call.ts";

function expectToken(op: string, token: number, position: number, vocabSize: number): void {
  if (token >= 0 && token < vocabSize) return;
  throw new DataError(
    `${op}: token at position ${position} is ${token}, expected 0 to ${vocabSize - 1}. ` +
      "Tokenise with this model's vocabulary.",
  );
}

/** `y[p] = factor * table[token[p]]` */
export const embedding: ReferenceOp = ({ inputs: [tokens, table], outputs: [y], attributes: { factor } }) => {
  const [V, C] = table.shape;
  for (let p = 0; p < tokens.data.length; p++) {
    const token = tokens.data[p];
    expectToken("embedding", token, p, V);
    for (let c = 0; c < C; c++) y.data[p * C + c] = factor * table.data[token * C + c];
  }
};

/** `dTable[v] = factor * sum of dy[p] over p with token[p] = v` */
export const embeddingGrad: ReferenceOp = (call) => {
  const [tokens, dy] = call.inputs;
  const dTable = startGradient(call, call.outputs[0]);
  const C = lastAxis(dy);
  for (let p = 0; p < tokens.data.length; p++) {
    const token = tokens.data[p];
    expectToken("embeddingGrad", token, p, dTable.length / C);
    for (let c = 0; c < C; c++) dTable[token * C + c] += call.attributes.factor * dy.data[p * C + c];
  }
};
