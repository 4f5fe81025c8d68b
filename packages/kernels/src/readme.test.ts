import { execFileSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";

it("the README's example prints what its comment says", () => {
  const directory = join(import.meta.dirname, "..");
  const example = /```ts\n([\s\S]*?)```/.exec(readFileSync(join(directory, "README.md"), "utf8"))![1]!;
  const file = join(directory, `.readme-example.${process.pid}.ts`); // inside the package, so that imports resolve
  writeFileSync(file, example);
  try {
    const printed = execFileSync(process.execPath, ["--conditions=@espalier/source", file], { encoding: "utf8" });
    expect(printed).toBe("4 5 10 11\n");
  } finally {
    rmSync(file);
  }
});
