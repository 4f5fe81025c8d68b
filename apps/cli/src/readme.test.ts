import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { describe, expect, it } from "vitest";
import { programFor } from "./program.ts";

const root = join(import.meta.dirname, "../../..");
const pages = globSync(["*.md", "{apps,packages,infra}/*/*.md", "docs/*.md"], { cwd: root, exclude: (path) => path.includes("node_modules") }).sort();

/** `espalier ...` and the workspace's `pnpm espalier ...`, `pnpm reproduce ...`; a comment behind it. */
const COMMAND = /^(?:(?:npx -y pnpm@10|pnpm) (?=espalier |reproduce))?(?:espalier |(?=reproduce))(.*?)(?:\s+#.*)?$/;

/** Command lines in the blocks of a page, joined where they go on behind a backslash. */
function commandLines(page: string): string[] {
  const blocks = [...readFileSync(join(root, page), "utf8").matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block]) => block!.replaceAll("\\\n", " "));
  return blocks.flatMap((block) => block.split("\n")).flatMap((line) => COMMAND.exec(line.trim())?.[1] ?? []);
}

const words = (line: string): string[] => [...line.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(([, double, single, plain]) => double ?? single ?? plain!);

/** Words are read, nothing is done. */
function withoutActions(command: Command): void {
  command.exitOverride().configureOutput({ writeErr: () => {} }).enablePositionalOptions();
  for (const below of command.commands) {
    below.option("--json").action(() => {});
    withoutActions(below);
  }
}

describe("command lines of the pages", () => {
  const lines = pages.flatMap((page) => commandLines(page).map((line) => [page, line] as const));

  it("are found", () => {
    expect(new Set(lines.map(([page]) => page))).toContain(join("apps", "cli", "README.md"));
    expect(lines.length).toBeGreaterThan(40);
  });

  it.each(lines)("%s: espalier %s", async (_page, line) => {
    const program = await programFor(words(line), "0.0.0");
    withoutActions(program);
    await program.parseAsync(["node", "espalier", ...words(line)]);
  });
});
