import { FileError } from "@espalier/core";
import { type Ranks, ranksOf } from "../vocabulary.ts";
import { base64Length, fromBase64, writeBase64 } from "./base64.ts";

/**
 * Reads the `.tiktoken` format: lines `base64(token) SP rank LF`, ranks rising from 0.
 *
 * @param where names the source in errors
 * @throws {FileError} naming the first line that does not fit
 * @see tiktoken, `load.py`, `load_tiktoken_bpe`
 */
export function readTiktoken(text: string, where: string): Ranks {
  const tokens: Uint8Array[] = [];
  for (const [i, line] of text.split("\n").entries()) {
    if (line === "") continue;
    const [base64, rank] = line.split(" ");
    const token = fromBase64(base64!);
    if (!token || token.length === 0 || Number(rank) !== tokens.length) {
      throw new FileError(
        `${where}: line ${i + 1} is ${JSON.stringify(line.slice(0, 60))}, expected a base64 token and rank ${tokens.length}. Use a .tiktoken file with ranks in order.`,
      );
    }
    tokens.push(token);
  }
  return ranksOf(tokens);
}

/** The same format, written. */
export function writeTiktoken({ bytes, offsets }: Ranks): string {
  const ascii = new TextDecoder();
  let token = new Uint8Array(1 << 8);
  let text = "";
  for (let rank = 0; rank + 1 < offsets.length; rank++) {
    const [from, to] = [offsets[rank]!, offsets[rank + 1]!];
    if (base64Length(to - from) > token.length) token = new Uint8Array(2 * base64Length(to - from));
    text += `${ascii.decode(token.subarray(0, writeBase64(bytes, from, to, token, 0)))} ${rank}\n`;
  }
  return text;
}
