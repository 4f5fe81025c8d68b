#!/usr/bin/env node
import { createRequire } from "node:module";
import { Command } from "commander";
import { runProgram } from "./command.ts";
import { addAudit } from "./commands/audit.ts";
import { addCost } from "./commands/cost.ts";
import { addDoctor } from "./commands/doctor.ts";
import { addEval } from "./commands/eval.ts";
import { addExport } from "./commands/export.ts";
import { addPlan } from "./commands/plan.ts";
import { addReproduce } from "./commands/reproduce.ts";
import { addServe } from "./commands/serve.ts";
import { addTokenize } from "./commands/tokenize.ts";
import { addTrain } from "./commands/train.ts";

const { version } = createRequire(import.meta.url)("../package.json") as { version: string };

const program = new Command("espalier")
  .description("Trains language models on small budgets by growing them while they train.")
  .version(version)
  .option("--json", "one JSON object a line on standard output, for programs")
  .showHelpAfterError("(espalier --help lists the commands)");

for (const add of [addReproduce, addTokenize, addTrain, addEval, addExport, addCost, addPlan, addAudit, addServe, addDoctor]) add(program);

await runProgram(program, process.argv);
