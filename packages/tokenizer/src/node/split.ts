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

/** Which documents are validation text. */
export interface Split {
  /** Those whose position is below this. */
  below: number;
  /** Where all text is one source, so that no position tells its parts apart: the documents from this number on. */
  tailFrom?: number;
}

/** @param number  of the document among those kept, from 0 */
export function isValidation({ below, tailFrom }: Split, position: number, number: number): boolean {
  return tailFrom === undefined ? position < below : number >= tailFrom;
}

/**
 * Another split for a corpus too small for its share, or nothing when it is large enough: the text with the lowest
 * position where none fell below the share; the end of the text where there is a single one.
 */
export function splitOfFew(found: { documents: { train: number; validation: number }; lowest: number; highest: number }, share: number): Split | undefined {
  const { train, validation } = found.documents;
  const count = train + validation;
  if (count < 2 || (train > 0 && validation > 0)) return undefined;
  if (found.lowest === found.highest) return { below: share, tailFrom: count - Math.max(1, Math.round(count * share)) };
  return validation === 0 ? { below: found.lowest + Number.EPSILON } : undefined;
}
