import { totalmem } from "node:os";
import { cudaStatus, nativeStatus } from "@espalier/kernels";
import type { Command } from "commander";
import { action } from "../command.ts";
import { quantity } from "../terminal/format.ts";

export function addDoctor(program: Command): void {
  program
    .command("doctor")
    .description("what this machine offers, and what was looked for in vain")
    .action(
      action(async (_options, { output }) => {
        const native = nativeStatus();
        output.line(`node      ${process.versions.node} on ${native.platform}`);
        output.line(`cores     ${native.cores}`);
        output.line(`memory    ${quantity(totalmem(), "bytes")}`);
        if (native.available) {
          output.line(`kernels   ${native.instructionPaths.join(", ")}; ${native.ops.length} ops`);
        } else {
          output.line("kernels   none: the plain reference executor is used, which is slow");
          for (const file of native.tried) output.line(`          tried ${file}`);
        }
        const cuda = cudaStatus();
        output.line(`gpu       ${cuda.device}`);
        if (!cuda.available) for (const place of cuda.tried) output.line(`          tried ${place}`);
        output.result("doctor", { node: process.versions.node, memoryBytes: totalmem(), ...native, cuda });
      }),
    );
}
