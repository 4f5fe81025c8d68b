import { type ReferenceOp } from "./call.ts";

/** `y = silu(gate) * up` */
export const swiglu: ReferenceOp = ({ inputs: [gate, up], outputs: [y] }) => {
  for (let i = 0; i < y.data.length; i++) {
    y.data[i] = (gate.data[i] / (1 + Math.exp(-gate.data[i]))) * up.data[i];
  }
};

/** `dGate = dy up s (1 + gate (1 - s))`, `dUp = dy gate s`, s = sigmoid(gate) */
export const swigluGrad: ReferenceOp = ({ inputs: [gate, up, dy], outputs: [dGate, dUp] }) => {
  for (let i = 0; i < dy.data.length; i++) {
    const s = 1 / (1 + Math.exp(-gate.data[i]));
    dGate.data[i] = dy.data[i] * up.data[i] * s * (1 + gate.data[i] * (1 - s));
    dUp.data[i] = dy.data[i] * gate.data[i] * s;
  }
};
