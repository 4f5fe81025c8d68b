// nx g ./infra/generators:package NAME --description "..." --imports spec,graph
const TABLE = "infra/importTable.mjs";

const camel = (name) => name.replace(/-([a-z])/g, (_, letter) => letter.toUpperCase());

module.exports = async function packageGenerator(tree, { name, description, imports = "" }) {
  const folder = `packages/${name}`;
  if (tree.exists(`${folder}/package.json`)) throw new Error(`package: ${folder} exists already. Choose another name.`);
  const allowed = imports.split(",").map((item) => item.trim()).filter(Boolean);
  for (const other of allowed) {
    if (!tree.exists(`packages/${other}/package.json`)) throw new Error(`package: --imports names ${other}, which is no package under packages/.`);
  }

  const target = { types: "./dist/index.d.ts", default: "./dist/index.js" };
  const manifest = {
    name: `@espalier/${name}`,
    version: "0.0.0",
    description,
    license: "Apache-2.0",
    type: "module",
    sideEffects: false,
    engines: { node: ">=22.18" },
    files: ["dist", "README.md", "LICENSE"],
    exports: { ".": { "@espalier/source": "./src/index.ts", import: target } },
    publishConfig: { access: "public", exports: { ".": { import: target } } },
    scripts: { build: "tsup", typecheck: "tsc -p ." },
    nx: { tags: [`package:${name}`] },
    dependencies: Object.fromEntries(["core", ...allowed].map((other) => [`@espalier/${other}`, "workspace:*"])),
  };
  const json = (value) => JSON.stringify(value, null, 2) + "\n";
  tree.write(`${folder}/package.json`, json(manifest));
  tree.write(`${folder}/tsconfig.json`, json({ extends: "../../tsconfig.base.json", include: ["src", "bench"] }));
  tree.write(
    `${folder}/tsup.config.ts`,
    'import { packageConfig } from "../../infra/bundle/tsup.ts";\n\nexport default packageConfig(import.meta.dirname);\n',
  );
  tree.write(
    `${folder}/src/index.ts`,
    `/** ${description} */\nexport const packageName = "@espalier/${name}";\n`,
  );
  tree.write(
    `${folder}/README.md`,
    `# @espalier/${name}\n\n${description}\n\n\`\`\`ts\nimport { packageName } from "@espalier/${name}";\n\nconsole.log(packageName); // @espalier/${name}\n\`\`\`\n`,
  );
  tree.write(
    `${folder}/src/readme.test.ts`,
    `import { describe, expect, it } from "vitest";\nimport { runReadmeExample } from "../../../infra/testing/readmeExample.ts";\n\ndescribe("README", () => {\n  it("has an example that prints what it says", () => {\n    expect(runReadmeExample(import.meta.dirname + "/..")).toContain("@espalier/${name}");\n  });\n});\n`,
  );
  tree.write(`.changeset/${camel(name)}-first.md`, `---\n"@espalier/${name}": minor\n---\n\n${description}\n`);

  const table = tree.read(TABLE, "utf8");
  const row = `  ${name.includes("-") ? JSON.stringify(name) : name}: ${JSON.stringify(allowed)},\n`;
  tree.write(TABLE, table.replace(/(\n {2}web:)/, `\n${row.trimEnd()}$1`));
  return () => console.log(`Next: pnpm install, then the package's row in docs/architecture.md.`);
};
