import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { run } from "./run.mjs";

/**
 * Packs every public package; returns name and tarball of each. The package of CUDA kernels holds nothing but a library
 * that only nvcc makes: without it there is nothing to pack, which is said (`pnpm pack` would make an empty tarball, and
 * publishing one is refused by that package's `prepublishOnly`).
 */
export async function packAll(destination) {
  mkdirSync(destination, { recursive: true });
  const folders = ["packages", "apps"].flatMap((top) => readdirSync(top).map((name) => join(top, name)));
  const packs = [];
  for (const folder of folders) {
    const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    if (manifest.private) continue;
    if (manifest.name === "@espalier/kernels-cuda" && !existsSync(join(folder, "build"))) {
      console.log(`not packed: ${manifest.name}, whose library is not built here (pnpm native kernels-cuda, needs nvcc)`);
      continue;
    }
    const file = join(resolve(destination), `${manifest.name.replace("@", "").replace("/", "-")}-${manifest.version}.tgz`);
    packs.push({ name: manifest.name, file });
  }
  // One call for all of them: pnpm's own start is most of what packing a package takes.
  const filters = packs.map(({ name }) => `--filter=${name}`);
  await run(["npx", "-y", "pnpm@10", ...filters, "-r", "pack", "--pack-destination", resolve(destination)]);
  const missing = packs.filter(({ file }) => !existsSync(file));
  if (missing.length > 0) throw new Error(`no tarball of ${missing.map(({ name }) => name).join(", ")}`);
  return packs;
}

const platforms = ["darwin-arm64", "darwin-x64", "linux-arm64", "linux-arm64-musl", "linux-x64", "linux-x64-musl", "win32-x64"];

/** Throws when the tarball lacks the addon of a platform or is not below `limitBytes`. */
export function checkBinaries(file, limitBytes) {
  const names = execFileSync("tar", ["-tzf", file], { encoding: "utf8" }).split("\n");
  const missing = platforms.filter((platform) => !names.some((name) => name.startsWith(`package/build/${platform}/`) && name.endsWith(".node")));
  if (missing.length > 0) throw new Error(`${file}: no addon for ${missing.join(", ")}. Run \`pnpm native --all-platforms\` first.`);
  const { size } = statSync(file);
  if (size >= limitBytes) throw new Error(`${file}: ${size} bytes, expected less than ${limitBytes}.`);
  console.log(`${file}: ${platforms.length} platforms, ${size} bytes`);
}

/** Installs all tarballs into an empty project, imports every package and runs the command line. */
export async function installTarballs(packs, directory) {
  mkdirSync(directory, { recursive: true });
  const local = Object.fromEntries(packs.map(({ name, file }) => [name, `file:${file}`]));
  const manifest = { name: "consumer", private: true, type: "module", dependencies: local, pnpm: { overrides: local } };
  writeFileSync(join(directory, "package.json"), JSON.stringify(manifest, null, 2));
  await run(["npx", "-y", "pnpm@10", "install", "--ignore-workspace"], { cwd: directory });
  const specifiers = packs.filter(({ name }) => name !== "espalier").flatMap(({ name }) => exportsOf(directory, name));
  const script = `for (const s of ${JSON.stringify(specifiers)}) { const m = await import(s); if (!Object.keys(m).length) throw new Error(s + ' exports nothing'); }`;
  // The Node that the workspace pins: the packages state which they need.
  const node = resolve("node_modules/.bin/node");
  await run([node, "--input-type=module", "-e", script], { cwd: directory });
  return await run([node, join(directory, "node_modules/espalier/dist/main.js"), "doctor"], { cwd: directory });
}

function exportsOf(directory, name) {
  const manifest = JSON.parse(readFileSync(join(directory, "node_modules", name, "package.json"), "utf8"));
  return Object.keys(manifest.exports)
    .filter((key) => key.startsWith(".") && typeof manifest.exports[key] === "object")
    .filter((key) => !/\/(model|languageModel|run)$/.test(key) || name !== "@espalier/spec" || key === "./model")
    .map((key) => name + key.slice(1));
}
