import { execFileSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { taskTable } from "./testing/taskTable.ts";

const packageDir = fileURLToPath(new URL("..", import.meta.url));
const example = `${packageDir}.readme-example.${process.pid}.ts`;
const readme = readFileSync(`${packageDir}README.md`, "utf8");

afterEach(() => rmSync(example, { force: true }));

describe("README", () => {
  it("prints what it says its example prints", () => {
    const code = /```ts\n([\s\S]*?)```/.exec(readme)![1];
    const printed = /It prints\n\n```\n([\s\S]*?)```/.exec(readme)![1];
    writeFileSync(example, code);
    const output = execFileSync(process.execPath, ["--conditions=@espalier/source", "--disable-warning=ExperimentalWarning", example], { encoding: "utf8" });
    expect(output).toBe(printed);
  });

  it("states the lengths and chance levels of the tasks as they are", () => {
    expect(readme).toContain(taskTable());
  });
});
