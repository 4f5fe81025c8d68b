/** Finds a text in the bytes of JSON strings, letter case ignored, without decoding them. */

/**
 * Characters whose lower case is ASCII, or has more than one character, although they are not: the Kelvin sign and the dotted capital I.
 * Of all others, a letter and its capital stand byte for byte for each other or break the needle.
 */
export const ODD_CAPITALS = /[\u0130\u212A]/;

/** Capitals of each lower-case character. */
let capitals: Map<string, string[]> | undefined;
function capitalsOf(lower: string): readonly string[] {
  if (!capitals) {
    capitals = new Map();
    for (let code = 0; code < 0x2_0000; code++) {
      if (code >= 0xd800 && code < 0xe000) continue;
      const character = String.fromCodePoint(code);
      const lowered = character.toLowerCase();
      if (lowered !== character && !ODD_CAPITALS.test(character)) capitals.set(lowered, [...(capitals.get(lowered) ?? []), character]);
    }
    capitals.set("ς", [...(capitals.get("ς") ?? []), "Σ"]); // at the end of a word
  }
  return capitals.get(lower) ?? [];
}

/** Bytes of a needle: at each place, which of the 256 may stand there. */
export interface Needle {
  length: number;
  /** `length` tables of 256: 1 where a byte may stand. */
  allowed: Uint8Array;
  /** By how much to move on when a byte stands at the needle's last place. */
  shift: Uint32Array;
  /** The needle is all of what is searched for, and where it stands in a string that begins outside an escape, the text is there. */
  isWhole: boolean;
}

const encoder = new TextEncoder();

/**
 * The longest part of a query that JSON writes as these bytes and no others: every text that contains the query, letter case
 * ignored, contains the needle where it stands in JSON without needless escapes and {@link ODD_CAPITALS}. Not the other way round.
 * Undefined where no character of the query is such.
 */
export function needleOf(query: string): Needle | undefined {
  let part: ReadonlySet<number>[] = [];
  const parts = [part];
  // Which of the two small sigmas a capital one is depends on what follows.
  let hasBreak = /[σς]/.test(query.toLowerCase());
  for (const character of query.toLowerCase()) {
    const forms = [character, ...capitalsOf(character)].map((form) => encoder.encode(JSON.stringify(form).slice(1, -1)));
    // Control characters and halves of surrogate pairs are escaped in two ways, a slash may be, and forms of several lengths do not line up.
    if (/[\p{Cc}\p{Cs}/]/u.test(character) || forms.some(({ length }) => length !== forms[0]!.length)) {
      hasBreak = true;
      parts.push((part = []));
    } else forms[0]!.forEach((_, k) => part.push(new Set(forms.map((form) => form[k]!))));
  }
  const sets = parts.reduce((longest, each) => (each.length > longest.length ? each : longest));
  const length = sets.length;
  if (length === 0) return undefined;
  const allowed = new Uint8Array(256 * length);
  const shift = new Uint32Array(256).fill(length);
  sets.forEach((set, i) => {
    for (const byte of set) {
      allowed[256 * i + byte] = 1;
      if (i < length - 1) shift[byte] = length - 1 - i;
    }
  });
  return { length, allowed, shift, isWhole: !hasBreak };
}

/**
 * Where the needle first stands in `bytes` at or after `from`; -1 where it does not.
 *
 * @see Horspool 1980, "Practical fast searching in strings"
 */
export function findNeedle({ length, allowed, shift }: Needle, bytes: Uint8Array, from: number): number {
  const last = length - 1;
  const lastRow = 256 * last;
  for (let at = from; at + last < bytes.length; at += shift[bytes[at + last]!]!) {
    if (allowed[lastRow + bytes[at + last]!] === 0) continue;
    let k = last - 1;
    while (k >= 0 && allowed[256 * k + bytes[at + k]!] === 1) k--;
    if (k < 0) return at;
  }
  return -1;
}
