import { existsSync } from "node:fs";
import { join } from "node:path";
import { ConfigError } from "@espalier/core";
import { type GrowthOperator, operators as table } from "@espalier/growth";
import { cpuExecutor } from "@espalier/kernels";
import type { GrowthStep } from "@espalier/spec/plan";
import { directoryLogitChange, type GrownShape, growHuggingFace } from "@espalier/trainer";
import type { Command } from "commander";
import { action } from "../command.ts";
import { positiveInteger } from "../options.ts";
import { tableLines } from "../terminal/table.ts";
import { UsageError } from "../usage.ts";

interface GrowOptions {
  layers?: number;
  hidden?: number;
  ffn?: number;
  kvHeads?: number;
  queriesPerKv?: number;
  untie?: boolean;
  operators?: string[];
  seed: number;
  out?: string;
  check?: string | true;
  list?: boolean;
  json?: boolean;
}

/** Exact without gates, which files of this form cannot hold. */
const DEFAULTS: GrowthStep["operators"] = { residual: "hyperCloning", ffn: "hyperCloning", head: "hyperCloning", depth: "zeroDepth" };

const TEXT =
  "The gardener tied each young branch to the wires, cut away what grew outwards, and waited for the next spring. " +
  "In the second year there were pears: 12 on the left arm, 7 on the right. How many were there in all?";

export function addGrow(program: Command): void {
  program
    .command("grow")
    .description("a Hugging Face model into a larger one; tensors stream, so it may be larger than memory")
    .argument("[model]", "Hugging Face directory (`espalier export` makes one of a run's checkpoint)")
    .option("--layers <n>", "layers of the grown model (default: as many as before, as with every size)", positiveInteger)
    .option("--hidden <n>", "size of the residual stream", positiveInteger)
    .option("--ffn <n>", "inner size of the MLP", positiveInteger)
    .option("--kv-heads <n>", "key/value heads", positiveInteger)
    .option("--queries-per-kv <n>", "query heads that share a key/value head", positiveInteger)
    .option("--untie", "give the head a matrix of its own, which starts as the embedding")
    .option("--operators <group=name...>", "of residual, ffn, head, depth (default: hyperCloning in width, zeroDepth in depth)")
    .option("--seed <n>", "of new values", positiveInteger, 1)
    .option("--out <dir>", "directory to write")
    .option("--check [text]", "load both models and compare their logits on a text")
    .option("--list", "the operators, what they keep, and where they are published")
    .action(
      action<GrowOptions>(async (options, { output, path }, [model]) => {
        if (options.list) {
          const kept = (holds: boolean, { needsGates, exactAtMultiples }: GrowthOperator) =>
            holds ? (needsGates ? "with gates" : exactAtMultiples ? "at multiples" : "kept") : "not kept";
          const rows = table.map((operator) => {
            const { name, summary, groups, preserves, source } = operator;
            return [name, groups.join(", "), kept(preserves.logits, operator), kept(preserves.gradients, operator), source.replace("arXiv:", ""), summary];
          });
          output.verbatim(tableLines(["operator", "grows", "logits", "gradients", "arXiv", "what it does"], rows));
          return output.result("operators", table);
        }
        if (model === undefined) throw new UsageError("grow: no model named, expected a Hugging Face directory. `espalier grow --list` shows the operators.");
        if (options.out === undefined) throw new UsageError("grow: --out is missing. Name the directory to write.");
        const shape = shapeOf(options);
        if (Object.keys(shape).length === 0) throw new UsageError("grow: no size named, expected one at least. Give --layers, --hidden, --ffn, --kv-heads, --queries-per-kv or --untie.");
        const operators = operatorsOf(shape, options.operators ?? []);
        const [from, out] = [path(model), path(options.out)];
        if (existsSync(join(from, "state.json"))) throw new ConfigError(`${from}: a checkpoint of a run, expected a Hugging Face directory. Export it first: espalier export ${model} --out DIR`);
        const grown = await growHuggingFace(from, out, { shape, operators, seed: options.seed });
        const { before, after } = grown.parameters;
        output.line(`${out}: ${grown.modelType}, ${before.toLocaleString("en")} -> ${after.toLocaleString("en")} parameters, ${(grown.bytes / 1e6).toFixed(1)} MB of weights.`);
        for (const what of ["logits", "gradients"] as const) {
          const { holds, refusals } = grown.exactness[what];
          const [first] = refusals;
          output.line(holds ? `Proved: ${what} are kept, up to rounding.` : `Not proved: ${what}. ${first!.where}: ${first!.found}, expected: ${first!.condition}.`);
        }
        let measured: { change: number; positions: number } | undefined;
        if (options.check !== undefined) {
          measured = await directoryLogitChange(from, out, options.check === true ? TEXT : options.check, cpuExecutor());
          output.line(`Measured: logits changed by ${measured.change.toExponential(1)} of the largest over ${measured.positions} positions.`);
        }
        output.result("grow", { directory: out, ...grown, ...(measured && { measured }) });
      }),
    );
}

function shapeOf({ layers, hidden, ffn, kvHeads, queriesPerKv, untie }: GrowOptions): GrownShape {
  return {
    ...(layers && { numLayers: layers }),
    ...(hidden && { residualDim: hidden }),
    ...(ffn && { ffnDim: ffn }),
    ...(kvHeads && { numKvHeads: kvHeads }),
    ...(queriesPerKv && { groupSize: queriesPerKv }),
    ...(untie && { tiedHead: false }),
  };
}

/** One operator for each axis group that a size was named for. */
function operatorsOf(shape: GrownShape, words: readonly string[]): GrowthStep["operators"] {
  const named: Record<string, string> = {};
  for (const word of words) {
    const [, group, name] = /^(\w+)=(\w+)$/.exec(word) ?? [];
    if (group === undefined || !Object.hasOwn(DEFAULTS, group)) throw new UsageError(`--operators: found "${word}", expected group=name with group residual, ffn, head or depth. \`espalier grow --list\` shows the names.`);
    const fitting = table.filter(({ groups }) => groups.includes(group as keyof typeof DEFAULTS)).map((operator) => operator.name);
    if (!fitting.includes(name!)) throw new UsageError(`--operators: ${group}=${name}, expected one of ${fitting.join(", ")} for ${group}. \`espalier grow --list\` shows what they do.`);
    named[group] = name!;
  }
  const grows = { residual: shape.residualDim, ffn: shape.ffnDim, head: shape.numKvHeads ?? shape.groupSize, depth: shape.numLayers };
  const groups = (Object.keys(DEFAULTS) as (keyof typeof grows)[]).filter((group) => grows[group] !== undefined || named[group]);
  return Object.fromEntries(groups.map((group) => [group, named[group] ?? DEFAULTS[group]])) as GrowthStep["operators"];
}
