import { existsSync } from "node:fs";
import { join } from "node:path";
import { createApp, listen, reportFile } from "@espalier/server";
import type { Command } from "commander";
import { workspace } from "#workspace";
import { action, describeError } from "../command.ts";
import { openModel } from "../model.ts";
import { deviceOption, port, type WithDevice } from "../options.ts";
import { UsageError } from "../usage.ts";

interface ServeOptions extends WithDevice {
  checkpoint?: string;
  data?: string;
  port: number;
  json?: boolean;
}

export function addServe(program: Command): void {
  program
    .command("serve")
    .description("the report of a reproduction as a page that follows it, and a checkpoint behind OpenAI-style completions (echo, logprobs, streaming)")
    .argument("[dir]", "directory of a reproduction", "reproduction")
    .option("--checkpoint <dir>", "run, one of its checkpoints or Hugging Face directory, served at /v1/completions")
    .option("--data <dir>", "directory written by `espalier tokenize`, for its tokeniser (default: the run's own)")
    .addOption(deviceOption())
    .option("--port <port>", "0: any free one", port, 4400)
    .action(
      action<ServeOptions>(async (options, { output, path, signal }, [dir = "reproduction"]) => {
        const directory = path(dir);
        if (options.data && !options.checkpoint) throw new UsageError("serve: --data without --checkpoint. Name the checkpoint to serve.");
        const model = options.checkpoint
          ? await openModel(path(options.checkpoint), options.data && path(options.data), options.device)
          : undefined;
        const app = createApp({
          page: await workspace.page(),
          report: reportFile(join(directory, "report.json")),
          ...(model ? { model } : {}),
          onFailure: (error) => process.stderr.write(`${describeError(error)}\n`),
        });
        const server = await listen(app, options.port);
        if (!existsSync(join(directory, "report.json"))) {
          output.line(
            existsSync(join(directory, "run.json"))
              ? `${directory} is a single run, and the page shows reproductions. \`espalier report ${dir}\` shows the run, \`espalier serve --checkpoint ${dir}\` serves its model.`
              : `No report in ${directory} yet: the page waits for one. \`espalier reproduce --out DIR\` writes it.`,
          );
        }
        output.line(`Report: ${server.url}${model ? `   Completions: ${server.url}/v1/completions, model ${model.name}` : ""}   (Ctrl-C ends)`);
        output.result("listening", { url: server.url });
        await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
        await server.close();
        model?.free();
      }),
    );
}
