import { type ReferenceCall, type ReferenceOp, accumulates, lastAxis, numRows, startGradient } from "./call.ts";
import { factorsOf } from "./bf16.ts";
import { geluDerivative, geluValue } from "./gelu.ts";

/** `y = alpha op(a) op(b)`, a and b rounded where `bf16`, then bias, (pre = y), gelu, or times the derivative of gelu, gate, residual, as flagged. */
export const matmul: ReferenceOp = (call) => {
  const { transA, transB, alpha, bias, gelu, gate, residual, savePre, bf16, geluGrad } = call.attributes;
  const [a, b] = call.inputs.slice(0, 2).map((values) => factorsOf(values, bf16));
  const epilogue = call.inputs.slice(2);
  const [y, pre] = call.outputs;
  const [M, K] = transA ? [lastAxis(a), numRows(a)] : [numRows(a), lastAxis(a)];
  const N = transB ? numRows(b) : lastAxis(b);
  // Strides of op(a) over (m, k) and of op(b) over (k, n).
  const [aM, aK] = transA ? [1, M] : [K, 1];
  const [bK, bN] = transB ? [1, K] : [N, 1];

  const biasValues = bias ? epilogue.shift()!.data : undefined;
  const gateValues = gate ? epilogue.shift()!.data : undefined;
  const residualValues = residual ? epilogue.shift()!.data : undefined;
  const geluOf = geluGrad ? epilogue.shift()!.data : undefined;
  const adds = accumulates(call);

  for (let m = 0; m < M; m++) {
    for (let n = 0; n < N; n++) {
      let sum = 0;
      for (let k = 0; k < K; k++) sum += a.data[m * aM + k * aK] * b.data[k * bK + n * bN];
      let z = alpha * sum;
      if (biasValues) z += biasValues[n];
      if (savePre) pre.data[m * N + n] = z;
      if (gelu) z = geluValue(z);
      if (geluOf) z *= geluDerivative(geluOf[m * N + n]);
      if (gateValues) z *= gateValues[n];
      if (residualValues) z += residualValues[m * N + n];
      y.data[m * N + n] = adds ? y.data[m * N + n] + z : z;
    }
  }
  if (call.attributes.biasGrad) sumColumns(call, call.inputs[call.attributes.biasGrad - 1]);
};

/** `d[n] (+)= sum_r dy[r, n]` of the factor as it is stored, not rounded: as `columnSum`. */
function sumColumns(call: ReferenceCall, dy: ReferenceCall["inputs"][number]): void {
  const d = startGradient(call, call.outputs[1]);
  for (let i = 0; i < dy.data.length; i++) d[i % d.length] += dy.data[i];
}
