import { arithmeticClaims, audit } from "@espalier/cost";
import { InvalidArgumentError, type Command } from "commander";
import pc from "picocolors";
import { action } from "../command.ts";

const topics = ["paper", "audit"] as const;

function topic(value: string): (typeof topics)[number] {
  const found = topics.find((known) => known === value);
  if (!found) throw new InvalidArgumentError(`expected one of ${topics.join(", ")}.`);
  return found;
}

export function addCost(program: Command): void {
  program
    .command("cost")
    .description("FLM-101B's arithmetic recomputed, or its inconsistencies found")
    .argument("[topic]", `${topics.join(" or ")}`, topic, "paper")
    .option("--workings", "formula and inputs of every figure")
    .action(
      action<{ workings?: boolean; json?: boolean }>(async ({ workings }, { output }, [what = "paper"]) => {
        if (what === "audit") {
          const findings = audit();
          for (const finding of findings) output.line(`- ${finding.sentence}`);
          output.result("audit", findings);
          return;
        }
        const claims = arithmeticClaims();
        const width = Math.max(...claims.map(({ id }) => id.length));
        for (const claim of claims) {
          const colour = claim.verdict === "contradicted" ? pc.red : claim.verdict === "exact" ? pc.green : pc.yellow;
          output.line(`${claim.id.padEnd(width)}  ${colour(claim.verdict.padEnd(12))}  ${claim.paper}  ->  ${claim.measured}`);
          if (workings) output.line(`${" ".repeat(width + 2)}${pc.dim(claim.workings)}`);
        }
        output.result("claims", claims);
      }),
    );
}
