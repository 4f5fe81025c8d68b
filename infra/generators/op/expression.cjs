/**
 * An arithmetic expression of `x` in the forms that the op's files need. Numbers, `x`, `+ - * /` and parentheses are
 * the same in TypeScript and in CUDA; a vector of floats on the CPU has no literals and no unary minus.
 */
module.exports = function parseExpression(text, where, { constant = false } = {}) {
  const tokens = text.match(/\d+(?:\.\d+)?(?:e-?\d+)?|x|[-+*/()]|\s+|[^]/g) ?? [];
  const found = tokens.filter((token) => token.trim() !== "");
  for (const token of found) {
    if (!/^(\d.*|x|[-+*/()])$/.test(token)) {
      throw new Error(`op: ${where} holds \`${token}\`, expected x, numbers, + - * / and parentheses. Write the simplest form and change the files afterwards.`);
    }
  }
  if (!constant && !found.includes("x")) throw new Error(`op: ${where} is \`${text}\`, expected an expression of x.`);
  try {
    new Function("x", `return (${text});`);
  } catch {
    throw new Error(`op: ${where} is \`${text}\`, which does not parse. Check its parentheses.`);
  }
  const float = (token) => (/^\d/.test(token) ? `${/[.e]/.test(token) ? token : `${token}.0`}f` : token);
  const isUnary = (i) => found[i] === "-" && (i === 0 || /^[-+*/(]$/.test(found[i - 1]));
  const spaced = (parts) => parts.join(" ").replace(/\( /g, "(").replace(/ \)/g, ")");
  return {
    typescript: text,
    cuda: spaced(found.map(float)),
    vector: spaced(found.map((token, i) => (isUnary(i) ? "splat(-1.0f) *" : /^\d/.test(token) ? `splat(${float(token)})` : token))),
  };
};
