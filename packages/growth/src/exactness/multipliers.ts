import { hasBias } from "@espalier/spec/model";
import type { GrowthMap } from "../map.ts";
import { blockWrites } from "../growthMap.ts";
import { isClose } from "./sparse.ts";
import type { Refusal } from "./verdict.ts";

/** Every multiplier's change is made up for by the tensors in its path, once. */
export function multiplierRefusals(map: GrowthMap): Refusal[] {
  const { source, target, factors } = map;
  const factor = (name: string) => factors[name] ?? 1;
  const ratio = (key: keyof typeof source.multipliers) => source.multipliers[key] / target.multipliers[key];
  const gain = map.axes.residual?.normRule === "rescaled" ? Math.sqrt(source.residualDim / target.residualDim) : 1;
  const head = target.tiedHead ? "embedding.weight" : "head.weight";

  const expected: [where: string, found: number, expected: number][] = [
    ["embedding.weight", factor("embedding.weight"), ratio("embedding")],
    [`final.norm.gain, ${head}`, factor("final.norm.gain") * factor(head), ratio("logits") * gain],
    [
      "attention.query, attention.key",
      factor("attention.query.weight") * factor("attention.key.weight"),
      ratio("attention"),
    ],
    ["attention.value", factor("attention.value.weight"), 1],
    ["attention.norm.gain", factor("attention.norm.gain"), gain],
    ["ffn.norm.gain", factor("ffn.norm.gain"), gain],
    ["ffn.up", factor("ffn.up.weight"), 1],
    ["ffn.gate", factor("ffn.gate.weight"), 1],
    ...blockWrites(source).map((name): [string, number, number] => [name, factor(name), ratio("residual")]),
  ];
  const attention = hasBias(source, "attention") ? ["attention.query", "attention.key", "attention.value"] : [];
  for (const part of [...attention, ...(hasBias(source, "ffn") ? ["ffn.up", "ffn.gate"] : [])]) {
    expected.push([`${part}.bias`, factor(`${part}.bias`), factor(`${part}.weight`)]);
  }
  if (source.family === "flm") {
    expected.push(["final.norm.bias", factor("final.norm.bias"), factor("final.norm.gain") / gain]);
    expected.push(
      ["attention.norm.bias", factor("attention.norm.bias"), 1],
      ["ffn.norm.bias", factor("ffn.norm.bias"), 1],
    );
  }
  return expected
    .filter(([, found, wanted]) => !isClose(found, wanted))
    .map(([where, found, wanted]) => ({
      where,
      condition: "tensors make up for the change of the multipliers in their path, and for nothing else",
      found: `factor ${found}, needed ${wanted}`,
    }));
}
