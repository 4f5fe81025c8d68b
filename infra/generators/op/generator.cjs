// nx g ./infra/generators:op NAME --value "x * x" --derivative "2 * x"
// An elementwise op of one input with its gradient, in every place that an op has: it builds and passes its tests as
// written. Shapes, loops and formulas are changed from there.
const parseExpression = require("./expression.cjs");
const files = require("./files.cjs");

const snake = (name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** Puts `line` before the first line of `path` that matches, in front of everything that must come after it. */
function insert(tree, path, pattern, line) {
  const text = tree.read(path, "utf8");
  const at = text.search(pattern);
  if (at < 0) throw new Error(`op: ${path} has no line like ${pattern}. Was its form changed? Correct the generator.`);
  tree.write(path, text.slice(0, at) + line + text.slice(at));
}

module.exports = async function opGenerator(tree, { name, value, derivative }) {
  const op = { name, file: snake(name), type: name[0].toUpperCase() + name.slice(1), y: parseExpression(value, "--value"), slope: parseExpression(derivative, "--derivative", { constant: true }) };
  const made = files(op);
  for (const path of Object.keys(made)) if (tree.exists(path)) throw new Error(`op: ${path} exists already. Choose another name.`);
  for (const [path, text] of Object.entries(made)) tree.write(path, text);

  const ops = "packages/graph/src/ops/table.ts";
  insert(tree, ops, /^import { gradNormOp }/m, `import { ${name}GradOp, ${name}Op } from "./${name}.ts";\n`);
  insert(tree, ops, /^ {4}swigluOp,/m, `    ${name}Op,\n    ${name}GradOp,\n`);
  const reference = "packages/graph/src/reference/table.ts";
  insert(tree, reference, /^import { gradNorm }/m, `import { ${name}, ${name}Grad } from "./${name}.ts";\n`);
  insert(tree, reference, /^ {2}swiglu,/m, `  ${name},\n  ${name}Grad,\n`);
  insert(tree, "packages/graph/src/index.ts", /^export { gradNorm }/m, `export { ${name} } from "./ops/${name}.ts";\n`);
  insert(tree, "packages/kernels/native/ops/op_list.h", /^ESPALIER_OP\(swiglu\)/m, `ESPALIER_OP(${op.file})\nESPALIER_OP(${op.file}_grad)\n`);
  insert(tree, "packages/kernels/src/testing/cases/pointwise.ts", /^ {2}\.\.\.elementwise\("swiglu", 2\)/m, `  ...elementwise("${name}", 1),\n  ...elementwise("${name}Grad", 2),\n`);
  insert(tree, "packages/graph/README.md", /`swiglu` `layerNorm`/, `\`${name}\` `);
  insert(tree, "docs/ops.md", /^\| `swiglu` \|/m, `| \`${name}\` | x | y | | ${value} |\n| \`${name}Grad\` | x, dy | dx | | dy (${derivative}) |\n`);
  return () => console.log(`Next: pnpm native, then pnpm vitest run --project graph --project kernels; then its real formula in ${Object.keys(made).length} files.`);
};
