/**
 * Ends of stretches of at least `stretch` bytes that can be encoded one by one with the same ids as the whole; the last
 * is the length of the text. A cut is behind a line feed that a letter of ASCII or a character of U+4000 to U+9FFF
 * follows: in every pattern the piece with the line feed ends there, because no piece begins with a newline and goes on
 * with something else than white space, and none of white space takes in what is none. What stands before the line feed is
 * no white space: GPT-2's pattern splits several of it before text, and keeps them together at the end.
 * Where no such place comes, the stretch goes on.
 */
export function* safeCuts(bytes: Uint8Array, stretch: number): Generator<number> {
  for (let i = stretch; i < bytes.length; i++) {
    if (bytes[i - 1] !== LF || !beginsText(bytes[i]!) || !endsText(bytes, i - 2)) continue;
    yield i;
    i += stretch - 1;
  }
  yield bytes.length;
}

const LF = 0x0a;
const beginsText = (byte: number): boolean => ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a) || (byte >= 0xe4 && byte <= 0xe9);
/** Whether a visible character of ASCII ends at `i`, or one of three bytes in blocks without white space; U+3000 is white space. */
const endsText = (bytes: Uint8Array, i: number): boolean => {
  const last = bytes[i]!;
  if (i < 2 || last < 0x80) return last > 0x20 && last < 0x7f;
  const lead = bytes[i - 2]!;
  const middle = bytes[i - 1]!;
  if ((last & 0xc0) !== 0x80 || (middle & 0xc0) !== 0x80) return false;
  return (lead >= 0xe4 && lead <= 0xe9) || lead === 0xef || (lead === 0xe3 && (middle !== 0x80 || last !== 0x80));
};
