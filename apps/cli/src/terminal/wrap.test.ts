import { describe, expect, it } from "vitest";
import { sentenceLines, visibleWidth, wrapped } from "./wrap.ts";

const ESC = String.fromCharCode(27);

describe("wrapped", () => {
  it("cuts between words, and leaves a word that is longer than the room whole", () => {
    expect(wrapped("a bc def extraordinary g", 6)).toEqual(["a bc", "def", "extraordinary", "g"]);
    expect(wrapped("", 6)).toEqual([""]);
  });

  it("colours every line of a coloured text by itself, and counts no colour as width", () => {
    const dim = (text: string) => `${ESC}[2m${text}${ESC}[22m`;
    expect(visibleWidth(dim("abc"))).toBe(3);
    expect(wrapped(dim("ab cd"), 2)).toEqual([dim("ab"), dim("cd")]);
  });
});

describe("sentenceLines", () => {
  it("goes on below the beginning of a labelled sentence", () => {
    expect(sentenceLines("days      64.6 and some more", 20)).toEqual(["days      64.6 and", "          some more"]);
    expect(sentenceLines("- one of several points", 14)).toEqual(["- one of", "  several", "  points"]);
    expect(sentenceLines("no label but many words", 12)).toEqual(["no label but", "many words"]);
  });

  it("leaves what fits, and a command to copy, as it is", () => {
    const command = "  espalier generate example/run \"One day Ada\"";
    expect(sentenceLines(command, 20)).toEqual([command]);
    expect(sentenceLines("a  b", 20)).toEqual(["a  b"]);
  });
});
