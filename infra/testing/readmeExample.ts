import { execFileSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Runs the first `ts` block of a package's README inside that package, from source, and returns what it printed.
 * The README is the package's page, so its example has to work.
 */
export function runReadmeExample(packageDir: string): string {
  const readme = readFileSync(join(packageDir, "README.md"), "utf8");
  const example = /```ts\n([\s\S]*?)```/.exec(readme)?.[1];
  if (!example) throw new Error(`${packageDir}/README.md: no ts block found, expected the example first`);
  const file = join(packageDir, `.readme-example.${process.pid}.ts`);
  writeFileSync(file, example);
  try {
    return execFileSync(process.execPath, ["--conditions=@espalier/source", "--disable-warning=ExperimentalWarning", file], {
      encoding: "utf8",
      cwd: packageDir,
    });
  } finally {
    rmSync(file);
  }
}
