import { describe, expect, it } from "vitest";
import { chipMwh } from "../paper/quantities.ts";
import { flm101b, type PaperTables } from "../paper/tables.ts";
import { audit } from "./audit.ts";

/** The same tables with every contradiction put right, by hand. */
const corrected: PaperTables = {
  ...flm101b,
  stages: flm101b.stages.map((stage) => (stage.name === "101B" ? { ...stage, batchTokensM: "4.42" } : stage)),
  rival: { ...flm101b.rival, utilisationPercent: "43.27" },
  text: {
    ...flm101b.text,
    llama2Cost13b: "201.37",
    aboutShareOfFlopsPercent: "13",
    englishTokensBelowB: "167",
    glyphs: [
      { glyph: "\u{1F608}", codePoint: "U+1F608" },
      { glyph: "\u{1F621}", codePoint: "U+1F621" },
    ],
  },
  carbon: {
    energyUnit: "MWh",
    columns: flm101b.carbon.columns.map((column) =>
      column.name === "FLM-101B"
        ? { ...column, gpuHours: "9.93e4", energy: "39" }
        : column.name === "GLM-130B"
          ? { ...column, tonnes: (chipMwh(column) * 0.581 * 1.1).toFixed(0) }
          : column,
    ),
  },
};

describe("audit", () => {
  const contradictions = audit().filter((finding) => finding.severity === "contradiction");

  it.each([
    ["GPU hours", "1.01e5", "99,256"],
    ["batch tokens", "4.31", "4.42"],
    ["energy unit", "MkWh", "MWh"],
    ["PUE", "one row", "none in GLM-130B"],
    ["share of FLOPs", "about 10 %", "12.5 %"],
    ["share of FLOPs", "about 10 %", "14.0 %"],
    ["text against table", "210.37", "201.37"],
    ["utilisation", "42.27", "43.27"],
    ["English tokens", "less than 0.16T", "166.7B"],
    ["code point", "U+1F621", "U+1F608"],
  ])("finds %s: %s is printed, %s follows", (rule, printed, computed) => {
    const found = contradictions.filter(
      (finding) => finding.rule === rule && finding.printed.includes(printed) && finding.computed.includes(computed),
    );
    expect(found).toHaveLength(1);
    expect(found[0]!.sentence).toMatch(/^.+: .+\.$/);
  });

  it.each([
    ["equal tokens", "1.66x"],
    ["recomputation", "1.02 times 6 N D"],
    ["throughput x time", "58.03 zettaFLOPs, printed 52.76: 9 % of the time was not training"],
    ["price", "over 99,256 GPU-hours it is 1.0075 USD, over the printed 1.01e5 0.990"],
  ])("says what is left out: %s", (rule, sentence) => {
    const found = audit().filter((finding) => finding.rule === rule);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ severity: "left out" });
    expect(found[0]!.sentence).toContain(sentence);
  });
  it("calls more work than the machines can have done a contradiction", () => {
    const found = audit({ ...flm101b, flmCost: { ...flm101b.flmCost, total: "62.76" } }).find(({ rule }) => rule === "throughput x time")!;
    expect(found.severity).toBe("contradiction");
  });

  it("calls differences that rounding explains by their name", () => {
    const last = audit().filter((finding) => finding.severity === "last digit").map((finding) => finding.where);
    expect(last).toEqual(expect.arrayContaining(["total tokens", "16B", "51B", "cost of GLM-130B", "Table 4, Llama-2 13B"]));
  });

  it("finds no contradiction in consistent tables", () => {
    expect(audit(corrected).filter((finding) => finding.severity === "contradiction")).toEqual([]);
  });

  it.each([
    ["GPUs", { ...corrected, stages: corrected.stages.map((s) => (s.name === "51B" ? { ...s, dataParallel: 25 } : s)) }],
    ["batch tokens", { ...corrected, stages: corrected.stages.map((s) => (s.name === "16B" ? { ...s, batchSequences: 2000 } : s)) }],
    ["sum", { ...corrected, schedule: { ...corrected.schedule, totalDays: "22.54" } }],
    ["cost formula", { ...corrected, costs: corrected.costs.map((c) => (c.id === "llama-7b" ? { ...c, mid: "59.54" } : c)) }],
    ["average", { ...corrected, scores: corrected.scores.map((s, i) => (i === 2 ? { ...s, average: "65.08" } : s)) }],
    ["energy unit", { ...corrected, carbon: { ...corrected.carbon, energyUnit: "GWh" } }],
  ] satisfies [string, PaperTables][])("finds a new inconsistency it has never seen: %s", (rule, tables) => {
    const found = audit(tables).filter((finding) => finding.severity === "contradiction");
    expect(found.map((finding) => finding.rule)).toContain(rule);
  });
});
