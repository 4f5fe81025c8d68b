/**
 * Where the document of each token begins in its row `[B, T]`: the first key that its attention may see. See
 * `documentIndices`.
 */
export function documentStarts(tokens: Int32Array, seqLen: number, separator: number): Int32Array {
  let start = 0;
  return tokens.map((token, i) => {
    const t = i % seqLen;
    if (t === 0) start = 0;
    const own = start;
    if (token === separator) start = t + 1;
    return own;
  });
}

/**
 * Which document of its row each token belongs to, from 0: what attention needs to keep documents of a packed row apart
 * (a token sees another one only where both have the same index). Text cannot forge a separator, so the separators before
 * a token say which document it is of; the separator itself belongs to the document that it ends.
 *
 * @param tokens     inputs `[B, T]`, row by row
 * @param seqLen     T
 * @param separator  id of the token behind each document
 * @param into       takes the indices `[B, T]`; made when absent
 */
export function documentIndices(tokens: Int32Array, seqLen: number, separator: number, into: Int32Array = new Int32Array(tokens.length)): Int32Array {
  let document = 0;
  for (let i = 0; i < tokens.length; i++) {
    if (i % seqLen === 0) document = 0;
    into[i] = document;
    if (tokens[i] === separator) document++;
  }
  return into;
}
