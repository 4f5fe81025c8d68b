import { createHash } from "node:crypto";
import { existsSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";

/** What an object was made from: the command, and the content of every file it read. */
interface Stamp {
  command: string;
  inputs: Record<string, string>;
}

/** Content digests, computed once a build. */
export class Digests {
  readonly #known = new Map<string, string>();

  of(path: string): string {
    let digest = this.#known.get(path);
    if (digest === undefined) {
      digest = existsSync(path) ? createHash("sha256").update(readFileSync(path)).digest("hex") : "absent";
      this.#known.set(path, digest);
    }
    return digest;
  }
}

const stampOf = (output: string) => `${output}.stamp.json`;

/** True when `output` was made by the same command from the same inputs. */
export function isCurrent(output: string, command: string, digests: Digests): boolean {
  if (!existsSync(output) || !existsSync(stampOf(output))) return false;
  try {
    const stamp = JSON.parse(readFileSync(stampOf(output), "utf8")) as Stamp;
    return stamp.command === command && Object.entries(stamp.inputs).every(([path, digest]) => digests.of(path) === digest);
  } catch {
    return false; // a torn stamp of a killed build
  }
}

/** Records what `output` was made from. */
export function writeStamp(output: string, command: string, inputs: readonly string[], digests: Digests): void {
  const stamp: Stamp = { command, inputs: Object.fromEntries(inputs.map((path) => [path, digests.of(path)])) };
  writeWhole(stampOf(output), JSON.stringify(stamp));
}

/** Writes a file under a temporary name and renames it, so that readers see the old or the new one. */
export function writeWhole(path: string, text: string): void {
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, text);
  renameSync(temporary, path);
}

/** Prerequisites in a make-style dependency file, as g++ and clang write them. */
export function readDependencies(path: string): string[] {
  const text = readFileSync(path, "utf8").replaceAll("\\\n", " ");
  const names = text.slice(text.indexOf(": ") + 2).match(/(?:\\ |\S)+/g) ?? [];
  return names.map((name) => name.replaceAll("\\ ", " ")).filter((name) => statSync(name, { throwIfNoEntry: false })?.isFile());
}
