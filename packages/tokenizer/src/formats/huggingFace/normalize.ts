import { FileError } from "@espalier/core";
import { type Part, stepsOf, type TokenizerFile } from "./file.ts";

const forms = ["NFC", "NFD", "NFKC", "NFKD"];

/**
 * The normaliser of a file as a function. Unicode normal forms are those of the JavaScript engine's Unicode version.
 *
 * @throws {FileError} on a step that is not known
 */
export function normalizerOf(file: TokenizerFile, where: string): (text: string) => string {
  return normalizeBy(stepsOf(file.normalizer, "normalizers"), where);
}

/** The same of some of its steps. */
export function normalizeBy(parts: readonly Part[], where: string): (text: string) => string {
  const steps = parts.map((step): ((text: string) => string) => {
    if (step.type === "Prepend") return (text) => (text === "" ? text : (step["prepend"] as string) + text);
    if (step.type === "Lowercase") return (text) => text.toLowerCase();
    if (forms.includes(step.type)) return (text) => text.normalize(step.type);
    const pattern = (step["pattern"] as { String?: string } | undefined)?.String;
    if (step.type === "Replace" && pattern !== undefined) return (text) => text.replaceAll(pattern, () => step["content"] as string);
    throw new FileError(`${where}: normalizer ${JSON.stringify(step)}, expected Prepend, Replace of a string, Lowercase or ${forms.join(", ")}. It cannot be read.`);
  });
  return (text) => steps.reduce((normalized, step) => step(normalized), text);
}
