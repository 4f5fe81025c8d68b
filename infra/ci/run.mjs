import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";

/**
 * Runs a command and resolves with what it wrote; rejects, with the same, when it does not end with 0.
 * `{ stdin }` is put into it, `{ live: true }` hands it this terminal instead.
 */
export function run([program, ...args], { cwd, stdin, live = false } = {}) {
  const { promise, resolve, reject } = Promise.withResolvers?.() ?? withResolvers();
  const child = spawn(program, args, { cwd, stdio: live ? "inherit" : "pipe", shell: process.platform === "win32" });
  let output = "";
  if (!live) {
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (output += text));
    child.stdin.on("error", () => {}); // it may end before it has read all
    child.stdin.end(stdin ?? "");
  }
  child.on("error", reject);
  child.on("close", (status, signal) => {
    if (status === 0) resolve(output);
    else reject(Object.assign(new Error(`\`${[program, ...args].join(" ")}\` ended with ${status ?? signal}`), { output }));
  });
  return promise;
}

/** `Promise.withResolvers` of Node 22, for the Node that starts the checks. */
function withResolvers() {
  const parts = {};
  parts.promise = new Promise((resolve, reject) => Object.assign(parts, { resolve, reject }));
  return parts;
}

/** Runs functions in order, as many at once as there are cores; resolves when all have ended. */
export async function together(bodies) {
  const waiting = [...bodies];
  const lane = async () => {
    for (let body = waiting.shift(); body; body = waiting.shift()) await body();
  };
  await Promise.all(Array.from({ length: Math.max(2, availableParallelism()) }, lane));
}
