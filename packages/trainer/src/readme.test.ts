import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";

const packageDir = join(import.meta.dirname, "..");

it("README example prints what the README says", () => {
  const readme = readFileSync(join(packageDir, "README.md"), "utf8");
  const [, source] = /```ts\n([\s\S]*?)```/.exec(readme)!;
  const [, printed] = /```text\n([\s\S]*?)```/.exec(readme)!;
  const directory = mkdtempSync(join(packageDir, ".readme-"));
  try {
    writeFileSync(join(directory, "example.ts"), source!);
    const flags = ["--conditions=@espalier/source", "--disable-warning=ExperimentalWarning", "example.ts"];
    expect(execFileSync(process.execPath, flags, { cwd: directory, encoding: "utf8" })).toBe(printed);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
