import { CLASS_RUNS } from "./classes.ts";

/** What the cl100k pattern distinguishes: `\p{L}`, `\p{N}`, `\s` (Unicode White_Space) and the rest. */
export const OTHER = 0;
export const LETTER = 1;
export const NUMBER = 2;
export const SPACE = 3;

/** Class of every code point `[0x110000]`, by Unicode 16.0 on every engine: `\p{}` and `\s` of JavaScript differ. */
export const codePointClass: Uint8Array = unpackRuns();

function unpackRuns(): Uint8Array {
  const classes = new Uint8Array(0x110000);
  const runs = atob(CLASS_RUNS);
  let codePoint = 0;
  for (let i = 0; i < runs.length; ) {
    let value = 0;
    let scale = 1;
    let byte: number;
    do {
      byte = runs.charCodeAt(i++);
      value += (byte & 0x7f) * scale;
      scale *= 0x80;
    } while (byte >= 0x80);
    const end = codePoint + Math.floor(value / 4);
    classes.fill(value & 3, codePoint, end);
    codePoint = end;
  }
  return classes;
}
