const CODE = `${String.fromCharCode(27)}\\[[0-9;]*m`;
const ANSI = new RegExp(CODE, "g");
/** A text that is of one colour from end to end. */
const COLOURED = new RegExp(`^((?:${CODE})+)([^${String.fromCharCode(27)}]*)((?:${CODE})+)$`);

/** Characters that a text takes on a terminal: without its colours. */
export const visibleWidth = (text: string): number => text.replaceAll(ANSI, "").length;

/**
 * A text cut between words into lines of at most `room` characters, where its words allow.
 *
 * @param indent of every line but the first
 */
export function wrapped(text: string, room: number, indent = 0): string[] {
  const [, begin, inside, end] = COLOURED.exec(text) ?? [];
  if (inside !== undefined) return wrapped(inside, room, indent).map((line) => begin + line + end); // else it would colour what stands beside it
  const lines: string[] = [];
  let open: string | undefined;
  for (const word of text.split(" ")) {
    if (open !== undefined && visibleWidth(open) + 1 + visibleWidth(word) <= room) open += ` ${word}`;
    else if (open === undefined) open = word;
    else {
      lines.push(open.trimEnd());
      open = " ".repeat(indent) + word;
    }
  }
  return [...lines, open ?? ""];
}

/**
 * A sentence in lines of at most `columns` characters. Behind a label (`days      64.6 ...`) or a dash it goes on below its own beginning;
 * an indented line is a command to copy, or a picture, and stays whole.
 */
export function sentenceLines(sentence: string, columns: number): string[] {
  if (sentence.startsWith(" ") || visibleWidth(sentence) <= columns) return [sentence];
  const label = /^(?:- |\S.*? {2,})(?=\S)/.exec(sentence.replaceAll(ANSI, ""))?.[0].length ?? 0;
  return wrapped(sentence, columns, label > columns / 2 ? 0 : label);
}
