import { readFile, stat } from "node:fs/promises";
import { text as textOf } from "node:stream/consumers";
import { atomicWrite, fileError } from "@espalier/core/node";
import { tokenSpans } from "@espalier/tokenizer";
import { loadAnyTokenizer, tokenizerNames } from "@espalier/tokenizer/node";
import type { Command } from "commander";
import { action, type Context } from "../command.ts";
import { positiveInteger } from "../options.ts";
import { colouredTokens } from "../tokens/show.ts";
import { UsageError } from "../usage.ts";
import { workspace } from "#workspace";

interface TokensOptions {
  tokenizer: string;
  ids?: true;
  special?: true;
  limit?: number;
  page?: string;
  json?: boolean;
}

export function addTokens(program: Command): void {
  program
    .command("tokens")
    .description("the tokens of a text, in colour")
    .argument("[text]", "a text, or the path of a file; standard input where it is missing or -")
    .option("--tokenizer <name|file>", `${tokenizerNames.join(", ")}, a tokenizer.json or a .tiktoken file`, "cl100k")
    .option("--ids", "the id behind each token")
    .option("--special", "take special tokens in the text for what they name (default: they are text)")
    .option("--limit <tokens>", "show this many at most", positiveInteger)
    .option("--page <file>", "write a page that shows the same in a browser, and show nothing")
    .action(action<TokensOptions>(tokens));
}

async function tokens(options: TokensOptions, { output, path }: Context, [text]: string[]): Promise<void> {
  if (options.page !== undefined) {
    await atomicWrite(path(options.page), await workspace.tokensPage());
    output.line(`Tokens: ${path(options.page)}. Open it in a browser; it needs nothing else.`);
    return output.result("page", { file: path(options.page) });
  }
  const named = tokenizerNames.includes(options.tokenizer) || options.tokenizer.endsWith("_base") ? options.tokenizer : path(options.tokenizer);
  const tokenizer = await loadAnyTokenizer(named);
  const bytes = await bytesOf(text, path);
  const spans = tokenSpans(tokenizer, bytes, options.special ? "recognize" : "text");
  const shown = options.limit === undefined ? spans : spans.slice(0, options.limit);
  if (shown.length > 0) output.verbatim([colouredTokens(shown, bytes, options.ids === true)]);
  const more = shown.length < spans.length ? `, ${shown.length} of them shown` : "";
  const share = spans.length > 0 ? `, ${(bytes.length / spans.length).toFixed(2)} bytes a token` : "";
  output.line(`${spans.length} ${spans.length === 1 ? "token" : "tokens"} of ${tokenizer.name}${more}; ${bytes.length} bytes${share}`);
  output.result("tokens", { tokenizer: tokenizer.name, encoder: "encoder" in tokenizer ? tokenizer.encoder : "typescript", numTokens: spans.length, numBytes: bytes.length, tokens: shown });
}

/** The bytes that are meant: those of a file that is there, else those of the words themselves. */
async function bytesOf(text: string | undefined, path: (value: string) => string): Promise<Uint8Array> {
  if (text === undefined || text === "-") {
    if (process.stdin.isTTY) throw new UsageError("tokens: no text, expected a text, a file or standard input. Try `espalier tokens \"a text\"`.");
    return Buffer.from(await textOf(process.stdin));
  }
  const file = path(text);
  const isFile = await stat(file).then((found) => found.isFile(), () => false); // also no: a text that is too long for a path
  if (!isFile) return Buffer.from(text);
  return await readFile(file).catch((error: unknown) => {
    throw fileError("reading", file, error);
  });
}
