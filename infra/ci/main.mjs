// Runs every check of a clean clone in order, prints each part's time beside its budget, ends with `N passed, N failed`.
// Plain JavaScript for whatever Node is there: the pinned Node only exists after the install.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkReproduction } from "./reproduction.mjs";
import { checkBinaries, installTarballs, packAll } from "./tarballs.mjs";

// `--release`: what is published has binaries for every platform; building them takes minutes.
const release = process.argv.includes("--release");
const scratch = mkdtempSync(join(tmpdir(), "espalier-ci-"));
const pnpm = (...args) => ["npx", "-y", "pnpm@10", ...args];

let passed = 0;
let failed = 0;
const parts = [];

function run(command, options = {}) {
  const [program, ...args] = command;
  const result = spawnSync(program, args, { stdio: "inherit", shell: process.platform === "win32", ...options });
  if (result.status !== 0) throw new Error(`\`${command.join(" ")}\` ended with ${result.status ?? result.signal}`);
  return result;
}

/** One check is one test: it passes when it does not throw. */
function check(name, body) {
  try {
    body();
    passed++;
    console.log(`ok      ${name}`);
  } catch (error) {
    failed++;
    console.log(`FAILED  ${name}: ${error.message}`);
  }
}

function part(name, budgetMinutes, body) {
  console.log(`\n== ${name} (budget ${budgetMinutes} min)`);
  const start = Date.now();
  body();
  parts.push({ name, budgetMinutes, minutes: (Date.now() - start) / 60_000 });
}

part("install", 1, () => check("install from the lockfile", () => run(pnpm("install", "--frozen-lockfile"))));

part("native", 4, () => check("native build", () => run(pnpm("native"))));

part("tests", 12, () => {
  const results = join(scratch, "vitest.json");
  // The README's test command, with a second reporter for the counts.
  const command = pnpm("test", "--reporter=default", "--reporter=json", `--outputFile.json=${results}`);
  const status = spawnSync(command[0], command.slice(1), { stdio: "inherit" }).status;
  if (existsSync(results)) {
    const summary = JSON.parse(readFileSync(results, "utf8"));
    passed += summary.numPassedTests;
    failed += summary.numFailedTests;
    check("test run ends with 0", () => {
      if (status !== 0) throw new Error(`vitest ended with ${status}`);
    });
  } else {
    check("test run", () => {
      throw new Error(`the test command ended with ${status} and wrote no results`);
    });
  }
});

part("lint, types, packs", 3, () => {
  check("lint", () => run(pnpm("lint")));
  check("import direction: a seeded violation fails", () => {
    const seeded = "packages/evals/src/seededViolation.ts";
    writeFileSync(seeded, 'import { plan } from "@espalier/graph";\n\nexport const seeded = plan;\n');
    try {
      const result = spawnSync("npx", ["-y", "pnpm@10", "lint", seeded], { encoding: "utf8" });
      if (result.status === 0 || !/enforce-module-boundaries/.test(result.stdout)) {
        throw new Error("an import from evals to graph was not refused");
      }
    } finally {
      rmSync(seeded);
    }
  });
  check("type check", () => run(pnpm("typecheck", "--output-logs=errors-only")));
  check("build, with the web bundle free of Node", () => run(pnpm("build", "--output-logs=errors-only")));
  check("the tokeniser's WebAssembly is what its sources give", () => run(pnpm("--filter", "@espalier/tokenizer", "run", "wasm", "--check")));
  if (release) check("binaries for every platform", () => run(pnpm("native", "--all-platforms", "tokenizer")));
  let tarballs = [];
  check("pack", () => {
    tarballs = packAll(join(scratch, "packs"));
  });
  if (release) check("the tokeniser's tarball holds all of them in less than 8 MB", () => checkBinaries(tarballs.find(({ name }) => name === "@espalier/tokenizer").file, 8e6));
  for (const { name, file } of tarballs) {
    check(`publint ${name}`, () => run(pnpm("exec", "publint", "run", file, "--strict")));
    check(`attw ${name}`, () => run(pnpm("exec", "attw", file, "--profile", "esm-only", "--format", "ascii", "--quiet")));
  }
  check("packed tarballs install into an empty directory and run", () => installTarballs(tarballs, join(scratch, "consumer")));
});

part("smoke", 3, () => {
  const out = join(scratch, "reproduction");
  check("reproduce --scale smoke", () => run(pnpm("-s", "reproduce", "--scale", "smoke", "--out", out)));
  check("its report is whole", () => checkReproduction(out));
});

rmSync(scratch, { recursive: true, force: true });
console.log("");
for (const { name, minutes, budgetMinutes } of parts) {
  console.log(`${name.padEnd(20)} ${minutes.toFixed(1).padStart(5)} min of ${budgetMinutes}`);
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
