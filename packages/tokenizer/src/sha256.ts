/** Fractional parts of the cube roots of the first 64 primes (FIPS 180-4, section 4.2.2). */
const ROUND_CONSTANTS = new Uint32Array(64);
/** Fractional parts of the square roots of the first 8 primes (section 5.3.3). */
const INITIAL_STATE = new Uint32Array(8);

for (let candidate = 2, found = 0; found < 64; candidate++) {
  let isPrime = true;
  for (let divisor = 2; divisor * divisor <= candidate; divisor++) if (candidate % divisor === 0) isPrime = false;
  if (!isPrime) continue;
  const fraction = (root: number) => Math.floor((root - Math.floor(root)) * 2 ** 32);
  if (found < 8) INITIAL_STATE[found] = fraction(Math.sqrt(candidate));
  ROUND_CONSTANTS[found++] = fraction(Math.cbrt(candidate));
}

const rotate = (x: number, n: number) => (x >>> n) | (x << (32 - n));

/**
 * sha256 of bytes, in hex, at once and on every engine: the Web's own is asynchronous, and digests of tokenisers are
 * plain properties.
 *
 * @see FIPS 180-4
 */
export function sha256Hex(message: Uint8Array): string {
  const state = INITIAL_STATE.slice();
  const words = new Int32Array(64);
  const paddedLength = ((message.length + 8) >> 6 << 6) + 64;
  const tailStart = message.length >> 6 << 6;
  const tail = new Uint8Array(paddedLength - tailStart);
  tail.set(message.subarray(tailStart));
  tail[message.length - tailStart] = 0x80;
  const view = new DataView(tail.buffer);
  view.setUint32(tail.length - 8, Math.floor(message.length / 2 ** 29));
  view.setUint32(tail.length - 4, (message.length << 3) >>> 0);

  for (let block = 0; block < tailStart; block += 64) compress(state, words, message, block);
  for (let block = 0; block < tail.length; block += 64) compress(state, words, tail, block);
  return Array.from(state, (word) => word.toString(16).padStart(8, "0")).join("");
}

function compress(state: Uint32Array, words: Int32Array, bytes: Uint8Array, at: number): void {
  for (let i = 0; i < 16; i++) {
    const j = at + i * 4;
    words[i] = (bytes[j]! << 24) | (bytes[j + 1]! << 16) | (bytes[j + 2]! << 8) | bytes[j + 3]!;
  }
  for (let i = 16; i < 64; i++) {
    const x = words[i - 15]!;
    const y = words[i - 2]!;
    const s0 = rotate(x, 7) ^ rotate(x, 18) ^ (x >>> 3);
    const s1 = rotate(y, 17) ^ rotate(y, 19) ^ (y >>> 10);
    words[i] = (words[i - 16]! + s0 + words[i - 7]! + s1) | 0;
  }
  let a = state[0]! | 0;
  let b = state[1]! | 0;
  let c = state[2]! | 0;
  let d = state[3]! | 0;
  let e = state[4]! | 0;
  let f = state[5]! | 0;
  let g = state[6]! | 0;
  let h = state[7]! | 0;
  for (let i = 0; i < 64; i++) {
    const choice = (e & f) ^ (~e & g);
    const t1 = (h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + choice + ROUND_CONSTANTS[i]! + words[i]!) | 0;
    const majority = (a & b) ^ (a & c) ^ (b & c);
    const t2 = ((rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + majority) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  state[0]! += a;
  state[1]! += b;
  state[2]! += c;
  state[3]! += d;
  state[4]! += e;
  state[5]! += f;
  state[6]! += g;
  state[7]! += h;
}
