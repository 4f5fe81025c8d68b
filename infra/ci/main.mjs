// Runs every check of a clean clone in order, prints each part's time beside its budget, ends with `N passed, N failed`.
// Plain JavaScript for whatever Node is there: the pinned Node only exists after the install.
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkReproduction } from "./reproduction.mjs";
import { run, together } from "./run.mjs";
import { checkBinaries, installTarballs, packAll } from "./tarballs.mjs";

// `--release`: what is published has binaries for every platform; building them takes minutes.
const release = process.argv.includes("--release");
const scratch = mkdtempSync(join(tmpdir(), "espalier-ci-"));
const pnpm = (...args) => ["npx", "-y", "pnpm@10", ...args];
/** A tool of the workspace without the package manager before it. */
const tool = (name) => join("node_modules", ".bin", name);

let passed = 0;
let failed = 0;
const parts = [];

/** One check is one test: it passes when it does not throw. What it wrote is shown at its end. */
async function check(name, body) {
  const start = Date.now();
  const end = (state, output, rest = "") => console.log(`${output ? `${output.trimEnd()}\n` : ""}${state} ${name} (${((Date.now() - start) / 1000).toFixed(1)} s)${rest}`);
  try {
    const output = await body();
    passed++;
    end("ok     ", typeof output === "string" ? output : "");
  } catch (error) {
    failed++;
    end("FAILED ", error.output, `: ${error.message}`);
  }
}

async function part(name, budgetMinutes, body) {
  console.log(`\n== ${name} (budget ${budgetMinutes} min)`);
  const start = Date.now();
  await body();
  parts.push({ name, budgetMinutes, minutes: (Date.now() - start) / 60_000 });
}

await part("install", 1, () => check("install from the lockfile", () => run(pnpm("install", "--frozen-lockfile"), { live: true })));

await part("native", 4, () => check("native build", () => run(pnpm("native"), { live: true })));

await part("tests", 12, async () => {
  const results = join(scratch, "vitest.json");
  // The README's test command, with a second reporter for the counts.
  let ended;
  await run(pnpm("test", "--reporter=default", "--reporter=json", `--outputFile.json=${results}`), { live: true }).catch((error) => (ended = error));
  if (existsSync(results)) {
    const summary = JSON.parse(readFileSync(results, "utf8"));
    passed += summary.numPassedTests;
    failed += summary.numFailedTests;
  }
  await check(existsSync(results) ? "test run ends with 0" : "test run", () => {
    if (ended) throw ended;
    if (!existsSync(results)) throw new Error("the test command wrote no results");
  });
});

// Checks that do not need each other run beside each other, the longest first.
await part("lint, types, packs", 3, async () => {
  await together([
    () => check("type check", () => run(pnpm("typecheck", "--output-logs=errors-only"))),
    () => check("build, with the web bundle free of Node", () => run(pnpm("build", "--output-logs=errors-only"))),
    async () => {
      await check("lint", () => run(pnpm("lint")));
      await check("import direction: a seeded violation fails", refusesSeededViolation);
    },
    () => check("the tokeniser's WebAssembly is what its sources give", () => run(pnpm("--filter", "@espalier/tokenizer", "run", "wasm", "--check"))),
  ]);
  if (release) await check("binaries for every platform", () => run(pnpm("native", "--all-platforms", "tokenizer")));
  let tarballs = [];
  await check("pack", async () => {
    tarballs = await packAll(join(scratch, "packs"));
  });
  if (release) await check("the tokeniser's tarball holds all of them in less than 8 MB", () => checkBinaries(tarballs.find(({ name }) => name === "@espalier/tokenizer").file, 8e6));
  await together([
    () => check("packed tarballs install into an empty directory and run", () => installTarballs(tarballs, join(scratch, "consumer"))),
    ...tarballs.flatMap(({ name, file }) => [
      () => check(`publint ${name}`, () => run([tool("publint"), "run", file, "--strict"])),
      () => check(`attw ${name}`, () => run([tool("attw"), file, "--profile", "esm-only", "--format", "ascii", "--quiet"])),
    ]),
  ]);
});

/** The source is linted from memory: the files of the workspace are being checked and built meanwhile. */
async function refusesSeededViolation() {
  const stdin = 'import { plan } from "@espalier/graph";\n\nexport const seeded = plan;\n';
  const lint = run(pnpm("lint", "--stdin", "--stdin-filename", "packages/evals/src/seededViolation.ts"), { stdin });
  const { output } = await lint.then(() => ({ output: "" }), (error) => error);
  if (!/enforce-module-boundaries/.test(output)) throw new Error("an import from evals to graph was not refused");
}

await part("smoke", 3, async () => {
  const out = join(scratch, "reproduction");
  await check("reproduce --scale smoke", () => run(pnpm("-s", "reproduce", "--scale", "smoke", "--out", out), { live: true }));
  await check("its report is whole", () => checkReproduction(out));
});

rmSync(scratch, { recursive: true, force: true });
console.log("");
for (const { name, minutes, budgetMinutes } of parts) {
  console.log(`${name.padEnd(20)} ${minutes.toFixed(1).padStart(5)} min of ${budgetMinutes}`);
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
