import { readFileSync } from "node:fs";
import { join } from "node:path";
import { defineConfig } from "tsup";

interface Target {
  import?: { default: string };
  default?: string;
}
interface Manifest {
  exports?: Record<string, Target | string>;
  imports?: Record<string, Target | string>;
}

/**
 * The one tsup configuration: `dist/<name>.js` of every export, and of every import of its own (`#worker`), is bundled
 * from `src/<name>.ts`.
 */
export function packageConfig(packageDir: string) {
  const manifest = JSON.parse(readFileSync(join(packageDir, "package.json"), "utf8")) as Manifest;
  const targets = [...Object.values(manifest.exports ?? {}), ...Object.values(manifest.imports ?? {})];
  const names = targets.flatMap((target) => {
    const built = typeof target === "string" ? target : (target.import?.default ?? target.default ?? "");
    return /^\.\/dist\/(.+)\.js$/.exec(built)?.[1] ?? [];
  });
  const entry = Object.fromEntries(names.map((name) => [name, `src/${name}.ts`]));
  // `#name` stays as it is: the manifest says what it means once built.
  return defineConfig({ entry, external: [/^#/], format: "esm", target: "node22", dts: true, clean: true, splitting: true, sourcemap: true });
}
