/** One file of the corpus. */
export interface ManifestFile {
  /** Relative to its package. */
  path: string;
  bytes: number;
  sha256: string;
}

export interface ManifestPackage {
  name: string;
  version: string;
  licence: string;
  files: ManifestFile[];
}

/** `manifest.json`: every file of the default corpus. */
export interface Manifest {
  format: "espalier-default-corpus";
  version: 1;
  numFiles: number;
  /** Of all files together; no two have the same contents. */
  bytes: number;
  /** sha256 over every file's name and sha256, in order. */
  digest: string;
  packages: ManifestPackage[];
}

/** What the digest of the corpus is taken over: one line a file. */
export function digestText(packages: readonly ManifestPackage[]): string {
  return packages.flatMap(({ name, files }) => files.map((file) => `${name}/${file.path} ${file.sha256}\n`)).join("");
}

/** Where a package is installed for this one. */
export function packageFolder(name: string): URL {
  return new URL(`../node_modules/${name}/`, import.meta.url);
}
