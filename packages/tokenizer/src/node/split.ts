import { hash } from "node:crypto";

/** Keeps the split independent of every seed: the same document is validation text in every run. */
const SALT = "espalier validation split 1\n";

/** sha256 of a document's text, in hex: what makes two documents the same. */
export function documentHash(text: Uint8Array): string {
  return hash("sha256", text, "hex");
}

/**
 * Where a document falls, in [0, 1): validation when below the validation share. A function of its text alone, so a
 * document never changes sides when others are added, and copies of it land on the same side.
 */
export function splitPosition(documentHashHex: string): number {
  return parseInt(hash("sha256", SALT + documentHashHex, "hex").slice(0, 12), 16) / 2 ** 48;
}
