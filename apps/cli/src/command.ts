import { resolve } from "node:path";
import { CancelledError, EspalierError } from "@espalier/core";
import { type Command, CommanderError } from "commander";
import pc from "picocolors";
import { type Output, createOutput } from "./terminal/output.ts";
import { UsageError } from "./usage.ts";

/** What every command gets besides its own options. */
export interface Context {
  output: Output;
  /** Aborted by the first Ctrl-C; a second one ends at once. */
  signal: AbortSignal;
  /** Makes a path of the user absolute: relative to where the user stands, also below `pnpm`. */
  path(value: string): string;
}

/** The one place where an outcome becomes a number: 1 also where the user stopped the work. */
export const exitCodes = { done: 0, failed: 1, wrongUsage: 2 } as const;

/**
 * Wraps a command's body: output, Ctrl-C, and one sentence for an error that Espalier expected.
 * `resumeWith` is printed when the user stops the command.
 */
export function action<Options extends { json?: boolean }>(
  body: (options: Options, context: Context, args: string[]) => Promise<void>,
  resumeWith?: (options: Options) => string,
): (...input: unknown[]) => Promise<void> {
  return async (...input) => {
    const command = input.at(-1) as Command;
    const options = { ...command.optsWithGlobals<Options>(), ...command.opts<Options>() }; // its own go before those of `eval`
    const output = createOutput({ json: options.json === true });
    const controller = new AbortController();
    const onInterrupt = () => {
      if (controller.signal.aborted) process.exit(exitCodes.failed);
      controller.abort(new CancelledError("stopped by Ctrl-C"));
    };
    process.on("SIGINT", onInterrupt);
    process.on("SIGTERM", onInterrupt);
    try {
      const path = (value: string) => resolve(process.env.INIT_CWD ?? process.cwd(), value);
      await body(options, { output, signal: controller.signal, path }, command.args);
    } catch (error) {
      output.close();
      if (controller.signal.aborted) {
        process.stderr.write(`\nStopped.${resumeWith ? ` Resume with:\n  ${resumeWith(options)}\n` : "\n"}`);
      } else {
        process.stderr.write(`${describeError(error)}\n`);
      }
      process.exitCode = error instanceof UsageError ? exitCodes.wrongUsage : exitCodes.failed;
      return;
    } finally {
      process.off("SIGINT", onInterrupt);
      process.off("SIGTERM", onInterrupt);
    }
    output.close();
  };
}

/** Expected errors are one sentence; anything else is ours, and shows its stack. */
export function describeError(error: unknown): string {
  if (error instanceof EspalierError && !process.env.ESPALIER_STACK) return `${pc.red("error")} ${error.message}`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/**
 * Wrong usage throws, an option belongs to the command before it (`eval ngrams --out` is not `eval --out`), and `--json`
 * is understood after every command.
 */
function prepare(command: Command, name = command.name()): void {
  command.exitOverride().enablePositionalOptions();
  command.showHelpAfterError(`(${name} --help lists the ${command.parent ? "options" : "commands"})`);
  for (const below of command.commands) {
    below.option("--json", "for programs: one JSON object a line");
    prepare(below, `${name} ${below.name()}`);
  }
}

/** Runs the program; wrong usage is exit code 2. */
export async function runProgram(program: Command, argv: readonly string[]): Promise<void> {
  prepare(program);
  try {
    await program.parseAsync(argv as string[]);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    process.exitCode = error.exitCode === 0 ? exitCodes.done : exitCodes.wrongUsage;
  }
}
