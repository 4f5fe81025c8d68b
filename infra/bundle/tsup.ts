import { readFileSync } from "node:fs";
import { join } from "node:path";
import { defineConfig } from "tsup";

interface Manifest {
  exports: Record<string, { "@espalier/source"?: string }>;
}

/** The one tsup configuration: every export of a package's manifest that has a source becomes an entry. */
export function packageConfig(packageDir: string) {
  const manifest = JSON.parse(readFileSync(join(packageDir, "package.json"), "utf8")) as Manifest;
  const sources = Object.values(manifest.exports).flatMap((target) => target["@espalier/source"] ?? []);
  const entry = Object.fromEntries(sources.map((path) => [path.replace(/^\.\/src\//, "").replace(/\.ts$/, ""), path]));
  return defineConfig({ entry, format: "esm", target: "node22", dts: true, clean: true, splitting: true, sourcemap: true });
}
