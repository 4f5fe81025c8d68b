/**
 * A command of ours as a user would type it here: what is printed can be pasted. In the workspace there is no `espalier` on the
 * path, only the script of the package manager that started this process.
 *
 * @param words of the command line, without the program
 */
export function commandText(words: readonly string[], env: NodeJS.ProcessEnv = process.env): string {
  const { npm_lifecycle_event: script, npm_execpath: manager = "" } = env;
  const ofWorkspace = (script === "espalier" || script === "reproduce") && manager.includes("pnpm");
  const runner = /[\\/]_npx[\\/]/.test(manager) ? "npx -y pnpm@10 " : "pnpm ";
  return [`${ofWorkspace ? runner : ""}espalier`, ...words.map(quoted)].join(" ");
}

/** The command that this process was started with. */
export const thisCommand = (): string => commandText(process.argv.slice(2));

function quoted(word: string): string {
  if (/^[\w@%+=:,./\\-]+$/.test(word) && (!word.includes("\\") || process.platform === "win32")) return word;
  return /["$`!\\]/.test(word) ? `'${word.replaceAll("'", "'\\''")}'` : `"${word}"`;
}
