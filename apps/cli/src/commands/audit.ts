import { audit, auditTable, parseCostTable } from "@espalier/cost";
import type { Command } from "commander";
import pc from "picocolors";
import { action } from "../command.ts";
import { readText } from "../files.ts";

const COLOURS = { contradiction: pc.red, "last digit": pc.yellow, "left out": pc.dim } as const;

export function addAudit(program: Command): void {
  program
    .command("audit")
    .description("what does not add up in a published cost table, and what it leaves out; without a file, in FLM-101B's paper")
    .argument("[file]", "CSV, Markdown or a JSON array; headings such as gpus, days, gpu hours, watts, energy [MWh], tCO2e, tokens [B], speedup, loss")
    .action(
      action<{ json?: boolean }>(async (_options, { output, path }, [file]) => {
        const ignored: string[] = [];
        let findings: readonly { severity: keyof typeof COLOURS; sentence: string }[];
        if (file === undefined) findings = audit();
        else {
          const table = parseCostTable(
            await readText(path(file)),
            file,
          );
          ignored.push(...table.ignored);
          findings = auditTable(table);
        }
        for (const { severity, sentence } of findings) output.line(`${COLOURS[severity](severity.padEnd(13))}  ${sentence}`);
        const count = findings.filter(({ severity }) => severity === "contradiction").length;
        output.line(findings.length === 0 ? "Everything that could be checked adds up." : `${count} contradiction${count === 1 ? "" : "s"} in ${findings.length} finding${findings.length === 1 ? "" : "s"}.`);
        if (ignored.length > 0) output.line(pc.dim(`columns that no rule reads: ${ignored.join(", ")}`));
        output.result("audit", { findings, ignored });
      }),
    );
}
