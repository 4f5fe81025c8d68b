import type { Random } from "@espalier/core";

const parts = [
  ..."aazsStTdmrevlK19²Ⅷ中語あé́!.-_/ \t\n\r\u0085\u00a0\u3000\u2028\ufeff\u200dǅʰ\u0903👩\ufe0f<|>'",
  "ſ", "K", "'ll", "'VE", "'ſ", "\r\n", "    ", " the", "Aa", "aA", "AB", "ÀÉ", "हिन्दी", "한국", "עב", "الع", "<|endoftext|>", "\ud800", "\udc00", "ing", "tion",
  "语言模型", "中华人民共和国", "hasOwnProperty", "=====", "0000", "// ", "/*", "http://",
];

/** A random document: what the patterns look at, any code point, and long repetitions, `draw` deciding by `index`. */
export function randomText(draw: Random, index: number): string {
  let at = index * 64;
  const integer = (bound: number) => draw.integer(at++, bound);
  const length = 1 + integer(16);
  let text = "";
  for (let i = 0; i < length; i++) {
    const kind = integer(16);
    if (kind === 0) text += String.fromCodePoint(integer(0x110000));
    else if (kind === 1) text += String.fromCodePoint(0x4e00 + integer(0x5200));
    else if (kind === 2) text += parts[integer(parts.length)]!.repeat(1 + integer(integer(8) === 0 ? 60 : 4));
    else if (kind === 3) text += integer(2 ** 31).toString(36);
    else text += parts[integer(parts.length)]!;
  }
  return text;
}
