import { isUtf8 } from "node:buffer";

/** A line that is not a JSON object with the wanted string; the sentence says why. */
export class MalformedLine extends Error {}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const ESCAPES = new Map([..."\"\\/bfnrt"].map((letter, i) => [letter.charCodeAt(0), "\"\\/\b\f\n\r\t".charCodeAt(i)]));
/** Far above what data files nest; JSON.parse has no limit. */
const MAX_DEPTH = 512;

/**
 * The string under `field` of a JSON object, as UTF-8, read from the bytes of the object: no JavaScript string is made,
 * which is what limits `JSON.parse` to a quarter of this speed. The whole line is checked. As with `JSON.parse` the last
 * of several equal keys counts; bytes that are not UTF-8 and lone surrogates become U+FFFD.
 *
 * @param field  name of a key of the outermost object
 * @throws {MalformedLine} when the line is not a JSON object with that string
 */
export function jsonText(line: Uint8Array, field: Uint8Array): Uint8Array {
  const scanner = new Scanner(line);
  const text = scanner.document(field);
  if (!text) throw new MalformedLine(`no string ${JSON.stringify(Buffer.from(field).toString())}`);
  return isUtf8(text) ? text : Buffer.from(Buffer.from(text.buffer, text.byteOffset, text.length).toString("utf8"));
}

class Scanner {
  readonly #line: Buffer;
  #at = 0;

  constructor(line: Uint8Array) {
    this.#line = Buffer.from(line.buffer, line.byteOffset, line.length);
  }

  document(field: Uint8Array): Uint8Array | undefined {
    this.#space();
    let text: Uint8Array | undefined;
    if (this.#line[this.#at] === 0x7b) text = this.#object(0, field);
    else this.#value(0);
    this.#space();
    if (this.#at < this.#line.length) this.#fail("the end");
    return text;
  }

  #object(depth: number, field?: Uint8Array): Uint8Array | undefined {
    let text: Uint8Array | undefined;
    this.#at++;
    this.#space();
    if (this.#line[this.#at] === 0x7d) return void this.#at++;
    for (;;) {
      this.#space();
      if (this.#line[this.#at] !== QUOTE) this.#fail("a key");
      const wanted = this.#string(field !== undefined).equals(field ?? NOTHING) && field !== undefined;
      this.#space();
      if (this.#line[this.#at++] !== 0x3a) this.#fail('":"', this.#at - 1);
      this.#space();
      if (!wanted) this.#value(depth + 1);
      else if (this.#line[this.#at] === QUOTE) text = this.#string(true);
      else {
        text = undefined;
        this.#value(depth + 1);
      }
      this.#space();
      const next = this.#line[this.#at++];
      if (next === 0x7d) return text;
      if (next !== 0x2c) this.#fail('"," or "}"', this.#at - 1);
    }
  }

  #value(depth: number): void {
    if (depth > MAX_DEPTH) throw new MalformedLine(`nested deeper than ${MAX_DEPTH}`);
    const first = this.#line[this.#at];
    if (first === QUOTE) this.#string(false);
    else if (first === 0x7b) this.#object(depth);
    else if (first === 0x5b) this.#array(depth);
    else if (first === 0x74) this.#word("true");
    else if (first === 0x66) this.#word("false");
    else if (first === 0x6e) this.#word("null");
    else this.#number();
  }

  #array(depth: number): void {
    this.#at++;
    this.#space();
    if (this.#line[this.#at] === 0x5d) return void this.#at++;
    for (;;) {
      this.#space();
      this.#value(depth + 1);
      this.#space();
      const next = this.#line[this.#at++];
      if (next === 0x5d) return;
      if (next !== 0x2c) this.#fail('"," or "]"', this.#at - 1);
    }
  }

  #word(word: string): void {
    for (let i = 0; i < word.length; i++) if (this.#line[this.#at++] !== word.charCodeAt(i)) this.#fail(word, this.#at - 1);
  }

  #number(): void {
    const start = this.#at;
    const digits = () => {
      const from = this.#at;
      while (isDigit(this.#line[this.#at])) this.#at++;
      if (this.#at === from) this.#fail(from === start ? "a value" : "a digit");
    };
    if (this.#line[this.#at] === 0x2d) this.#at++;
    if (this.#line[this.#at] === 0x30) this.#at++;
    else digits();
    if (this.#line[this.#at] === 0x2e) {
      this.#at++;
      digits();
    }
    if ((this.#line[this.#at]! | 0x20) === 0x65) {
      this.#at++;
      if (this.#line[this.#at] === 0x2b || this.#line[this.#at] === 0x2d) this.#at++;
      digits();
    }
  }

  /** Passes over a string; its bytes with escapes resolved when they are wanted, a view of the line where there are none. */
  #string(wanted: boolean): Buffer {
    const line = this.#line;
    const start = ++this.#at;
    let at = start;
    for (let byte = line[at]!; byte !== QUOTE && byte !== BACKSLASH; byte = line[++at]!) {
      if (!(byte >= 0x20)) this.#fail("a string without control characters", at); // also the end of the line
    }
    this.#at = at;
    if (line[at] === QUOTE) return line.subarray(start, this.#at++);
    const plain = wanted ? this.#plainlyEscaped(start) : undefined;
    if (plain) return plain;
    const out = wanted ? Buffer.allocUnsafeSlow(line.length - start) : line; // an escape is never shorter than its character
    let written = at - start;
    if (wanted) line.copy(out, 0, start, at);
    for (;;) {
      const byte = line[at]!;
      if (byte === QUOTE) break;
      if (byte === BACKSLASH) {
        this.#at = at;
        const character = this.#escape();
        at = this.#at;
        if (wanted) written = writeCharacter(out, written, character);
      } else {
        if (!(byte >= 0x20)) this.#fail("a string without control characters", at);
        if (wanted) out[written++] = byte;
        at++;
      }
    }
    this.#at = at + 1;
    return wanted ? out.subarray(0, written) : NOTHING;
  }

  /**
   * A string without `\u` escapes through `JSON.parse`, byte for byte as Latin-1, which is some ten times as fast as the
   * loop of `#string`; nothing where that cannot be, or where something is wrong: the loop says what and where.
   */
  #plainlyEscaped(start: number): Buffer | undefined {
    const line = this.#line;
    let end = line.indexOf(QUOTE, start);
    while (end >= 0 && isEscaped(line, start, end)) end = line.indexOf(QUOTE, end + 1);
    if (end < 0 || line.subarray(start, end).includes("\\u")) return undefined;
    try {
      const text = Buffer.from(JSON.parse(line.toString("latin1", start - 1, end + 1)) as string, "latin1");
      this.#at = end + 1;
      return text;
    } catch {
      return undefined;
    }
  }

  /** The code point of an escape, of both when it is a pair of surrogates. */
  #escape(): number {
    const letter = this.#line[this.#at + 1]!;
    if (letter !== 0x75) {
      const character = ESCAPES.get(letter);
      if (character === undefined) this.#fail("a known escape", this.#at + 1);
      this.#at += 2;
      return character!;
    }
    const unit = this.#unit(this.#at + 2);
    this.#at += 6;
    if (unit < 0xd800 || unit > 0xdfff) return unit;
    if (unit < 0xdc00 && this.#line[this.#at] === BACKSLASH && this.#line[this.#at + 1] === 0x75) {
      const low = this.#unit(this.#at + 2);
      if (low >= 0xdc00 && low <= 0xdfff) {
        this.#at += 6;
        return 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
      }
    }
    return 0xfffd;
  }

  #unit(at: number): number {
    let unit = 0;
    for (let i = at; i < at + 4; i++) {
      const byte = this.#line[i]!;
      const letter = byte | 0x20;
      if (isDigit(byte)) unit = unit * 16 + byte - 0x30;
      else if (letter >= 0x61 && letter <= 0x66) unit = unit * 16 + letter - 0x57;
      else this.#fail("four hexadecimal digits", i);
    }
    return unit;
  }

  #space(): void {
    for (let byte = this.#line[this.#at]; byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09; byte = this.#line[++this.#at]);
  }

  #fail(expected: string, at = this.#at): never {
    const found = at < this.#line.length ? JSON.stringify(String.fromCharCode(this.#line[at]!)) : "the end of the line";
    throw new MalformedLine(`not JSON: ${found} at byte ${at}, expected ${expected}`);
  }
}

/** Whether an odd number of backslashes stands before a byte of a string. */
function isEscaped(line: Uint8Array, start: number, at: number): boolean {
  let before = at;
  while (before > start && line[before - 1] === BACKSLASH) before--;
  return (at - before) % 2 === 1;
}

const NOTHING = Buffer.alloc(0);
const isDigit = (byte: number | undefined): boolean => byte! >= 0x30 && byte! <= 0x39;

function writeCharacter(out: Buffer, at: number, point: number): number {
  if (point < 0x80) {
    out[at++] = point;
  } else if (point < 0x800) {
    out[at++] = 0xc0 | (point >> 6);
    out[at++] = 0x80 | (point & 0x3f);
  } else if (point < 0x10000) {
    out[at++] = 0xe0 | (point >> 12);
    out[at++] = 0x80 | ((point >> 6) & 0x3f);
    out[at++] = 0x80 | (point & 0x3f);
  } else {
    out[at++] = 0xf0 | (point >> 18);
    out[at++] = 0x80 | ((point >> 12) & 0x3f);
    out[at++] = 0x80 | ((point >> 6) & 0x3f);
    out[at++] = 0x80 | (point & 0x3f);
  }
  return at;
}
