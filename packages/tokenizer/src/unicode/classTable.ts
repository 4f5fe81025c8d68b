import { CLASS_RUNS } from "./classes.ts";

/** What the patterns distinguish. Letters are `UPPER` (Lu, Lt), `LOWER` (Ll) and `CASELESS` (Lm, Lo); `SPACE` is Unicode White_Space. */
export const OTHER = 0;
export const UPPER = 1;
export const NUMBER = 2;
export const SPACE = 3;
export const LOWER = 4;
export const CASELESS = 5;
/** `\p{M}`: to every pattern but o200k's the same as `OTHER`. */
export const MARK = 6;

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
    const end = codePoint + Math.floor(value / 8);
    classes.fill(value & 7, codePoint, end);
    codePoint = end;
  }
  return classes;
}
