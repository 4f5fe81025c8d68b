import { DataError } from "@espalier/core";
import { factorsOf, roundToBf16 } from "./bf16.ts";
import { type ReferenceCall, type ReferenceOp, type Values, lastAxis, numRows, startGradient } from "./call.ts";

/** `factor * head x[r]`, written to `logits`. */
function logitsOfRow(logits: Float64Array, x: Values, head: Values, r: number, factor: number): void {
  const C = lastAxis(x);
  for (let v = 0; v < logits.length; v++) {
    let sum = 0;
    for (let c = 0; c < C; c++) sum += head.data[v * C + c] * x.data[r * C + c];
    logits[v] = factor * sum;
  }
}

function logSumExp(logits: Float64Array): number {
  const largest = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  let sum = 0;
  for (const logit of logits) sum += Math.exp(logit - largest);
  return largest + Math.log(sum);
}

function expectTarget(target: number, r: number, vocabSize: number): void {
  if (target < vocabSize) return;
  throw new DataError(
    `linearCrossEntropy: target of row ${r} is ${target}, expected below ${vocabSize}. ` +
      "Tokenise with this model's vocabulary.",
  );
}

/** `tokenLoss = lse - logit[target]`, `loss = sum weights tokenLoss`; a row with a negative target counts nothing. */
export const linearCrossEntropy: ReferenceOp = ({ inputs, outputs, attributes: { factor, bf16 } }) => {
  const [x, head] = inputs.slice(0, 2).map((values) => factorsOf(values, bf16));
  const [, , targets, weights] = inputs;
  const [loss, tokenLoss, greedy, lse] = outputs;
  const logits = new Float64Array(head.shape[0]);
  loss.data[0] = 0;
  for (let r = 0; r < numRows(x); r++) {
    const target = targets.data[r];
    expectTarget(target, r, logits.length);
    logitsOfRow(logits, x, head, r, factor);
    lse.data[r] = logSumExp(logits);
    tokenLoss.data[r] = target < 0 ? 0 : lse.data[r] - logits[target];
    greedy.data[r] = target >= 0 && logits.indexOf(logits.reduce((a, b) => Math.max(a, b))) === target ? 1 : 0;
    if (target >= 0) loss.data[0] += weights.data[r] * tokenLoss.data[r];
  }
};

function addGradient(call: ReferenceCall, lse: Values, dx: Values, dHead: Float64Array): void {
  const { factor, bf16 } = call.attributes;
  const [x, head] = call.inputs.slice(0, 2).map((values) => factorsOf(values, bf16));
  const [, , targets, weights] = call.inputs;
  const C = lastAxis(x);
  const logits = new Float64Array(head.shape[0]);
  dx.data.fill(0);
  for (let r = 0; r < numRows(x); r++) {
    const target = targets.data[r];
    if (target < 0) continue;
    logitsOfRow(logits, x, head, r, factor);
    for (let v = 0; v < logits.length; v++) {
      const probability = Math.exp(logits[v] - lse.data[r]);
      const exact = factor * weights.data[r] * (probability - (v === target ? 1 : 0));
      const g = bf16 ? roundToBf16(exact) : exact;
      for (let c = 0; c < C; c++) {
        dx.data[r * C + c] += g * head.data[v * C + c];
        dHead[v * C + c] += g * x.data[r * C + c];
      }
    }
  }
}

/** With `g = factor weights (softmax(logits) - onehot(target))`, rounded where `bf16`: `dx = g head`, `dHead = g^T x` */
export const linearCrossEntropyGrad: ReferenceOp = (call) => {
  const [dx, dHead] = call.outputs;
  addGradient(call, call.inputs[4], dx, startGradient(call, dHead));
};

/** Both of the above. */
export const linearCrossEntropyWithGrad: ReferenceOp = (call) => {
  linearCrossEntropy(call);
  const [, , , lse, dx, dHead] = call.outputs;
  addGradient(call, lse, dx, startGradient(call, dHead));
};
