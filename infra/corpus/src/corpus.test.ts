import { appendFileSync, cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { sha256 } from "@espalier/core/node";
import { describe, expect, it, onTestFinished } from "vitest";
import { checkFile, defaultCorpus } from "./index.ts";
import { packageFolder } from "./manifest.ts";
import { entersFolder, refusal, takesName } from "./rules.ts";
import { SOURCES } from "./sources.ts";

describe("defaultCorpus", () => {
  it("is at least 20 MB of distinct text, all installed and unchanged", async () => {
    const { files, bytes, packages } = await defaultCorpus();
    const digests = new Set<string>();
    let found = 0;
    for (const { path } of files) {
      const content = readFileSync(path);
      found += content.length;
      digests.add(sha256(content));
    }
    expect(found).toBe(bytes);
    expect(bytes).toBeGreaterThan(20_000_000);
    expect(digests.size).toBe(files.length);
    expect(packages.reduce((sum, one) => sum + one.bytes, 0)).toBe(bytes);
  });

  it("holds the pinned versions under licences that allow it, and nothing that was built", async () => {
    const { dependencies } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as { dependencies: Record<string, string> };
    const { files, packages } = await defaultCorpus();
    expect(packages.map(({ name }) => name)).toEqual(SOURCES.map(({ name }) => name));
    for (const { name, version, licence } of packages) {
      expect(dependencies[name]).toBe(version);
      expect(["MIT", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0", "ISC"]).toContain(licence);
      const { scripts = {} } = JSON.parse(readFileSync(new URL("package.json", packageFolder(name)), "utf8")) as { scripts?: Record<string, string> };
      for (const script of ["preinstall", "install", "postinstall"]) expect(scripts).not.toHaveProperty(script);
    }
    for (const { name } of files) expect(name).not.toMatch(/\.min\.|\.bundle\.|\/dist\/|\.json$|\.lock$/);
  });
});

describe("checkFile", () => {
  it("names a file that was changed or is missing", async () => {
    const directory = mkdtempSync(join(tmpdir(), "espalier-corpus-"));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    const path = join(directory, "README.md");
    cpSync(fileURLToPath(new URL("README.md", packageFolder("ramda"))), path);
    const expected = sha256(readFileSync(path));
    await checkFile({ path, sha256: expected });
    appendFileSync(path, "!");
    await expect(checkFile({ path, sha256: expected })).rejects.toThrow(`${path} has sha256`);
    rmSync(path);
    await expect(checkFile({ path, sha256: expected })).rejects.toThrow(`${path} is missing, expected it installed. Run \`pnpm install\`.`);
  });
});

describe("the rules", () => {
  const code = "// Adds two numbers.\nexport const add = (a, b) => a + b;\n".repeat(20);

  it("take sources and prose, no declarations that a compiler wrote, nothing minified", () => {
    const taken = ["a.js", "a.ts", "README.md", "a.d.ts", "a.min.js", "a.bundle.js", "package-lock.json", "a.css"].filter((path) => takesName("three", path));
    expect(taken).toEqual(["a.js", "a.ts", "README.md"]);
    expect(takesName("@types/node", "fs.d.ts")).toBe(true);
    expect(["src", "dist", "node_modules", ".git"].filter(entersFolder)).toEqual(["src"]);
  });

  it("say why contents do not belong", () => {
    const reason = (path: string, text: string | Uint8Array) => refusal(path, Buffer.from(text as string));
    expect(reason("a.js", code)).toBeUndefined();
    expect(reason("a.js", "x")).toBe("tiny");
    expect(reason("a.js", code.replaceAll("\n", " "))).toBe("long lines");
    expect(reason("a.md", code.replaceAll("\n", " "))).toBeUndefined();
    expect(reason("a.js", `${code}${"x".repeat(1001)}\n`)).toBe("a very long line");
    expect(reason("a.js", `// This file was automatically generated. DO NOT EDIT.\n${code}`)).toBe("generated");
    expect(reason("a.js", `${code}//# sourceMappingURL=a.js.map`)).toBe("generated");
    expect(reason("a.js", Uint8Array.from({ length: 500 }, () => 0xff))).toBe("not text");
  });
});
