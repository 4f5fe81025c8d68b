// Lints the workspace. Without a cached project graph the import-direction rule is skipped silently, so the graph is
// computed first.
import { execFileSync, spawnSync } from "node:child_process";

const shell = process.platform === "win32";
execFileSync("nx", ["show", "projects"], { stdio: ["ignore", "ignore", "inherit"], shell });
const result = spawnSync("eslint", process.argv.length > 2 ? process.argv.slice(2) : ["."], { stdio: "inherit", shell });
process.exit(result.status ?? 1);
