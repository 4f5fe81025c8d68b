// nx g ./infra/generators:op NAME --formula "y = max(x, 0)"
// Writes an elementwise op of one input in all its places; change shapes and loops from there.
const snake = (name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

module.exports = async function opGenerator(tree, { name, formula }) {
  const file = snake(name);
  const paths = {
    op: `packages/graph/src/ops/${name}.ts`,
    reference: `packages/graph/src/reference/${name}.ts`,
    header: `packages/kernels/native/ops/${file}.h`,
    cpu: `packages/kernels/native/ops/${file}_cpu.cc`,
  };
  for (const path of Object.values(paths)) if (tree.exists(path)) throw new Error(`op: ${path} exists already. Choose another name.`);

  tree.write(
    paths.op,
    `import type { Tensor } from "../graph.ts";
import { expectFloats, expectInputs } from "../shapes.ts";
import { type OpDefinition, perElement, record } from "./definition.ts";

export const ${name}Op: OpDefinition = {
  name: "${name}",
  attributes: [],
  infer(inputs) {
    expectInputs("${name}", inputs, 1);
    expectFloats("${name}", { x: inputs[0] });
    return [inputs[0]];
  },
  flops: perElement(1),
};

/** \`${formula}\`. Without a gradient rule a loss behind this op is refused. */
export function ${name}(x: Tensor): Tensor {
  return record(${name}Op, [x])[0];
}
`,
  );
  tree.write(
    paths.header,
    `// ${file}.h -- ${formula}
//   x, y [...]    no aliasing
#pragma once
#include "../executor/op.h"
`,
  );
  const left = [
    `${paths.reference}: plain loops over Float64Array, beside its siblings; add it to their index`,
    `${paths.cpu}: vectorised tasks as in native/executor/op.h; add the kernel to registry_cpu.cc`,
    `packages/graph/src/ops/table.ts: list ${name}Op; packages/graph/src/index.ts: export ${name}`,
    `docs/ops.md: one row; kernels/src/testing/opCases.ts: shapes to compare every backend at`,
    `a gradient rule in ${paths.op}, checked by finite differences`,
  ];
  return () => console.log(`Left to write by hand:\n${left.map((line) => `  - ${line}`).join("\n")}`);
};
