import { Command } from "commander";

/** Commands in the order of the help. Each brings its own packages, so only the one that is called is loaded. */
export const commands: Readonly<Record<string, () => Promise<(program: Command) => void>>> = {
  reproduce: async () => (await import("./commands/reproduce.ts")).addReproduce,
  data: async () => (await import("./commands/data.ts")).addData,
  tokens: async () => (await import("./commands/tokens.ts")).addTokens,
  tokenize: async () => (await import("./commands/tokenize.ts")).addTokenize,
  train: async () => (await import("./commands/train.ts")).addTrain,
  grow: async () => (await import("./commands/grow.ts")).addGrow,
  report: async () => (await import("./commands/report.ts")).addReport,
  eval: async () => (await import("./commands/eval.ts")).addEval,
  generate: async () => (await import("./commands/generate.ts")).addGenerate,
  export: async () => (await import("./commands/export.ts")).addExport,
  cost: async () => (await import("./commands/cost.ts")).addCost,
  plan: async () => (await import("./commands/plan.ts")).addPlan,
  simulate: async () => (await import("./commands/simulate.ts")).addSimulate,
  audit: async () => (await import("./commands/audit.ts")).addAudit,
  serve: async () => (await import("./commands/serve.ts")).addServe,
  doctor: async () => (await import("./commands/doctor.ts")).addDoctor,
};

/**
 * The program with the command that the words call. Without a command of ours (help, an unknown word) all are loaded, since the
 * answer names them.
 *
 * @param words arguments without the program's name
 */
export async function programFor(words: readonly string[], version: string): Promise<Command> {
  const program = new Command("espalier")
    .description("Trains language models on small budgets by growing them while they train.")
    .version(version)
    .option("--json", "for programs: one JSON object a line");
  const called = words.find((word) => !word.startsWith("-"));
  const asksVersion = words[0] === "--version" || words[0] === "-V";
  const wanted = called !== undefined && Object.hasOwn(commands, called) ? [called] : asksVersion ? [] : Object.keys(commands);
  for (const add of await Promise.all(wanted.map((name) => commands[name]!()))) add(program);
  return program;
}
