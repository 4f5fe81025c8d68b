import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

/** Files reached from an entry through relative imports, with the packages that they name. */
function reach(entry: URL, files = new Map<string, string[]>()): Map<string, string[]> {
  if (files.has(entry.href)) return files;
  const specifiers = [...readFileSync(entry, "utf8").matchAll(/from "([^"]+)"/g)].map(([, specifier]) => specifier);
  files.set(entry.href, specifiers.filter((specifier) => !specifier.startsWith(".")));
  for (const specifier of specifiers) if (specifier.startsWith(".")) reach(new URL(specifier, entry), files);
  return files;
}

describe("the root entry", () => {
  it("needs nothing of Node: only the roots of core and spec, and a YAML parser", () => {
    const files = reach(new URL("./index.ts", import.meta.url));
    expect(files.size).toBeGreaterThan(20);
    expect(new Set([...files.values()].flat())).toEqual(new Set(["@espalier/core", "@espalier/spec/languageModel", "yaml"]));
  });
});
