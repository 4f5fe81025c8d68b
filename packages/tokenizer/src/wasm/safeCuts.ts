/**
 * Ends of stretches of at least `stretch` bytes that can be encoded one by one with the same ids as the whole; the last
 * is the length of the text. A cut is behind a line feed that a letter of ASCII or a character of U+4000 to U+9FFF
 * follows: in every pattern the piece with the line feed ends there, because no piece begins with a newline and goes on
 * with something else than white space, and none of white space takes in what is none.
 * Where no such place comes, the stretch goes on.
 */
export function* safeCuts(bytes: Uint8Array, stretch: number): Generator<number> {
  for (let i = stretch; i < bytes.length; i++) {
    if (bytes[i - 1] !== LF || !beginsText(bytes[i]!)) continue;
    yield i;
    i += stretch - 1;
  }
  yield bytes.length;
}

const LF = 0x0a;
const beginsText = (byte: number): boolean => ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a) || (byte >= 0xe4 && byte <= 0xe9);
