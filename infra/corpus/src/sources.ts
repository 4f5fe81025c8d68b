/** Where text is taken from in one package: whole folders, or single files. */
export interface CorpusSource {
  name: string;
  /** SPDX, as the package states it; checked when the manifest is built. */
  licence: "MIT" | "BSD-2-Clause" | "BSD-3-Clause" | "Apache-2.0" | "ISC";
  /** Relative to the package; `.` is all of it. */
  roots: readonly string[];
}

/** Pure-JavaScript packages with sources that people wrote and commented. Versions are pinned in package.json. */
export const SOURCES: readonly CorpusSource[] = [
  { name: "@types/node", licence: "MIT", roots: ["."] },
  { name: "eslint", licence: "MIT", roots: ["README.md", "lib"] },
  { name: "ol", licence: "BSD-2-Clause", roots: ["."] },
  { name: "ramda", licence: "MIT", roots: ["README.md", "src"] },
  { name: "rxjs", licence: "Apache-2.0", roots: ["README.md", "CHANGELOG.md", "src"] },
  { name: "three", licence: "MIT", roots: ["README.md", "src", "examples/jsm"] },
  { name: "webpack", licence: "MIT", roots: ["README.md", "lib", "hot"] },
];
