#!/usr/bin/env node
import { createRequire } from "node:module";
import { runProgram } from "./command.ts";
import { programFor } from "./program.ts";

const { version } = createRequire(import.meta.url)("../package.json") as { version: string };
const program = await programFor(process.argv.slice(2), version);

// A reader that has seen enough (`espalier plan | head`) is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});

await runProgram(program, process.argv);
