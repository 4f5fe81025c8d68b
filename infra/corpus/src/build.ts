/**
 * Writes ../manifest.json from the installed packages: `pnpm --filter @espalier/corpus manifest`. Run it after changing a
 * pin, a source or a rule; the digest of the default corpus changes with it.
 */
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { sha256 } from "@espalier/core/node";
import { digestText, type Manifest, type ManifestFile, type ManifestPackage, packageFolder } from "./manifest.ts";
import { entersFolder, refusal, takesName } from "./rules.ts";
import { type CorpusSource, SOURCES } from "./sources.ts";

const seen = new Set<string>();
const refused = new Map<string, number>();

function* filesBelow(root: string, path: string): Generator<string> {
  if (statSync(join(root, path)).isFile()) return yield path;
  const entries = readdirSync(join(root, path), { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    const below = path === "." ? entry.name : `${path}/${entry.name}`;
    if (entry.isDirectory() ? entersFolder(entry.name) : entry.isFile()) yield* filesBelow(root, below);
  }
}

function packageOf({ name, licence, roots }: CorpusSource): ManifestPackage {
  const root = fileURLToPath(packageFolder(name));
  const stated = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string; license: string };
  if (stated.license !== licence) throw new Error(`${name}: licence is ${stated.license}, expected ${licence}. Check whether it may still be used.`);

  const files: ManifestFile[] = [];
  for (const path of roots.flatMap((start) => [...filesBelow(root, start)])) {
    if (!takesName(name, path)) continue;
    const content = readFileSync(join(root, path));
    const digest = sha256(content);
    const reason = refusal(path, content) ?? (seen.has(digest) ? "copy" : undefined);
    if (reason) refused.set(reason, (refused.get(reason) ?? 0) + 1);
    else {
      seen.add(digest);
      files.push({ path, bytes: content.length, sha256: digest });
    }
  }
  return { name, version: stated.version, licence, files };
}

const packages = SOURCES.map(packageOf);
const files = packages.flatMap((one) => one.files);
const manifest: Manifest = {
  format: "espalier-default-corpus",
  version: 1,
  numFiles: files.length,
  bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
  digest: sha256(digestText(packages)),
  packages,
};
const oneFileALine = JSON.stringify(manifest).replaceAll(/(\{"path"|\{"name")/g, "\n$1");
writeFileSync(new URL("../manifest.json", import.meta.url), `${oneFileALine}\n`);
for (const { name, version, files } of packages) {
  console.log(`${name}@${version}: ${files.length} files, ${files.reduce((sum, { bytes }) => sum + bytes, 0)} bytes`);
}
console.log(`${manifest.numFiles} files, ${manifest.bytes} bytes, ${manifest.digest}; refused:`, Object.fromEntries(refused));
