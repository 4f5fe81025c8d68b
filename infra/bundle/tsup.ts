import { readFileSync } from "node:fs";
import { join } from "node:path";
import { defineConfig } from "tsup";

type Target = Record<string, unknown>;
interface Manifest {
  exports?: Record<string, Target | string>;
  imports?: Record<string, Target | string>;
}

const SOURCE = "@espalier/source";

/**
 * The one tsup configuration: every export, and every import of its own (`#worker`), that has a TypeScript source in
 * the manifest becomes an entry under the same name in `dist`.
 */
export function packageConfig(packageDir: string) {
  const manifest = JSON.parse(readFileSync(join(packageDir, "package.json"), "utf8")) as Manifest;
  const targets = [...Object.values(manifest.exports ?? {}), ...Object.values(manifest.imports ?? {})];
  const sources = targets
    .map((target) => (typeof target === "object" ? target[SOURCE] : undefined))
    .filter((source): source is string => typeof source === "string" && source.endsWith(".ts"));
  const entry = Object.fromEntries(sources.map((path) => [path.replace(/^\.\/src\//, "").replace(/\.ts$/, ""), path]));
  return defineConfig({ entry, format: "esm", target: "node22", dts: true, clean: true, splitting: true, sourcemap: true });
}
