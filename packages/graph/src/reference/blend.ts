import { type ReferenceOp } from "./call.ts";

/** `y = (1 - m) a + m b` */
export const blend: ReferenceOp = ({ inputs: [a, b, m], outputs: [y] }) => {
  const weight = m.data[0];
  for (let i = 0; i < y.data.length; i++) y.data[i] = (1 - weight) * a.data[i] + weight * b.data[i];
};

/** `da = (1 - m) dy`, `db = m dy` */
export const blendGrad: ReferenceOp = ({ inputs: [dy, m], outputs: [da, db] }) => {
  const weight = m.data[0];
  for (let i = 0; i < dy.data.length; i++) {
    da.data[i] = (1 - weight) * dy.data[i];
    db.data[i] = weight * dy.data[i];
  }
};
