import { createProjectGraphAsync, readCachedProjectGraph } from "@nx/devkit";
import nx from "@nx/eslint-plugin";
import tseslint from "typescript-eslint";
import { importTable } from "./infra/importTable.mjs";

// Without a cached project graph the rule of import directions would be skipped, also for one file linted by an editor.
try {
  readCachedProjectGraph();
} catch {
  await createProjectGraphAsync({ exitOnError: false });
}

const depConstraints = Object.entries(importTable).map(([name, allowed]) => ({
  sourceTag: `package:${name}`,
  onlyDependOnLibsWithTags: [...new Set(["core", name, ...allowed])].map((other) => `package:${other}`),
}));

export default tseslint.config(
  { ignores: ["**/dist/**", "**/node_modules/**", "**/build/**", "**/.nx/**", "**/.turbo/**", "**/coverage/**", "**/.readme-example.*"] },
  {
    files: ["{packages,apps,infra}/**/*.{ts,tsx}", "*.ts"],
    extends: [tseslint.configs.base],
    rules: {
      "@typescript-eslint/consistent-type-imports": ["error", { fixStyle: "inline-type-imports" }],
      "@typescript-eslint/no-explicit-any": "error",
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
      "no-restricted-syntax": [
        "error",
        { selector: "ExportAllDeclaration", message: "List public names one by one instead of `export *`." },
      ],
      "no-debugger": "error",
      "no-var": "error",
      "prefer-const": "error",
      eqeqeq: ["error", "always", { null: "ignore" }],
    },
  },
  {
    files: ["{packages,apps}/*/src/**/*.{ts,tsx}"],
    ignores: ["**/*.test.ts", "**/testing/**"],
    plugins: { "@nx": nx },
    // A package's own `#names`: its manifest decides what they are, by platform or after the build.
    rules: { "@nx/enforce-module-boundaries": ["error", { allow: ["#workspace", "#native", "#wasm"], depConstraints, banTransitiveDependencies: false }] },
  },
);
