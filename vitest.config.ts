import { readdirSync } from "node:fs";
import { defineConfig } from "vitest/config";

/** Sources are tested as they stand: the `@espalier/source` condition resolves every package to its TypeScript. */
const conditions = ["@espalier/source", "module", "node", "development|production"];

const folders = ["packages", "apps", "infra"].flatMap((top) =>
  readdirSync(new URL(top, import.meta.url), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => `${top}/${entry.name}`),
);

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: ["@espalier/source"] } },
  test: {
    projects: folders.map((folder) => ({
      extends: true as const,
      test: {
        name: folder.split("/")[1],
        root: `./${folder}`,
        include: ["**/*.test.ts", "**/*.test.tsx"],
        execArgv: ["--conditions=@espalier/source", "--disable-warning=ExperimentalWarning"],
        testTimeout: 60_000,
      },
    })),
  },
});
