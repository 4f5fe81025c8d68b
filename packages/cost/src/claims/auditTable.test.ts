import { readFileSync } from "node:fs";
import { DataError } from "@espalier/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { auditTable } from "./auditTable.ts";
import { parseCostTable } from "./costTable.ts";

const file = new URL("../../examples/flm101b.csv", import.meta.url);
const text = readFileSync(file, "utf8");
const found = auditTable(parseCostTable(text, "flm101b.csv"));
const contradictions = found.filter(({ severity }) => severity === "contradiction");

describe("auditTable of FLM-101B's tables", () => {
  it.each([
    ["GPU hours", "1.01e5 is printed as GPU hours, GPUs x days x 24 gives 9.93e4 (99,256.3)"],
    ["batch tokens", "101B: 4.31 is printed as batch tokens, sequences x length gives 4.42"],
    ["energy unit", "the figures are MWh"],
    ["PUE", "absent from those of GLM-130B"],
    ["utilisation", "GLM-130B: 42.27 is printed as utilisation, TFLOP/s over peak gives 43.27"],
  ])("finds %s by itself", (rule, sentence) => {
    const own = contradictions.filter((finding) => finding.rule === rule);
    expect(own).toHaveLength(1);
    expect(own[0]!.sentence).toContain(sentence);
  });
  it("finds nothing else that contradicts", () => expect(contradictions).toHaveLength(5));
  it("says what is left out: the price, equal loss, and that GLM's FLOPs count recomputation", () => {
    const left = found.filter(({ severity }) => severity === "left out").map(({ sentence }) => sentence).join("\n");
    expect(left).toContain("100,000 over the GPU hours is 0.99 USD each");
    expect(left).toContain("compares equal tokens, not equal loss");
    expect(left).toMatch(/GLM-130B: the FLOPs are 1\.35 times 6 N D/);
  });
  it("finds no contradiction once the five are put right", () => {
    const right = text.replace("2160,2048,4.31", "2160,2048,4.42").replace("1.01e5", "9.93e4").replace(",40,26", ",39,26").replace("MkWh", "MWh").replace("42.27", "43.27").replace("444,257", "444,283");
    expect(auditTable(parseCostTable(right, "right")).filter(({ severity }) => severity === "contradiction")).toEqual([]);
  });
  it.each([
    ["GPUs", "16B,16,245.37,2,1,96", "16B,16,245.37,2,1,95"],
    ["total days", "21.54", "22.54"],
    ["total tokens", "311.54", "312.54"],
    ["saving", "3.56,72", "3.56,76"],
    ["tonnes", "3179,271", "3179,2710"],
    ["FLOPs", "421.60", "521.60"],
  ])("finds a new one that it has never seen: %s", (rule, from, to) => {
    expect(text).toContain(from);
    const now = auditTable(parseCostTable(text.replace(from, to), "new")).filter(({ severity }) => severity === "contradiction");
    expect(now.map((finding) => finding.rule)).toContain(rule);
  });
});

describe("auditTable of other tables", () => {
  it("reads Markdown, and a saving at a worse loss as what it is", () => {
    const table = parseCostTable("| run | saved (%) | loss | baseline loss |\n|---|---|---|---|\n| grown | 20 | 2.3153 | 2.3096 |", "table.md");
    expect(auditTable(table)[0]!.sentence).toMatch(/0\.2 % above the baseline's, which alone is worth about 1\.06x/);
  });
  it("accepts energy with PUE where the row states one, and dollars at a stated price", () => {
    const rows = [{ name: "run", "gpu hours": "1000", watts: "500", pue: "1.2", "energy [MWh]": "0.60", usd: "2000", "usd per gpu hour": "2.00" }];
    expect(auditTable(parseCostTable(JSON.stringify(rows), "a.json"))).toEqual([]);
    expect(auditTable(parseCostTable(JSON.stringify([{ ...rows[0], usd: "2500" }]), "a.json"))[0]!.rule).toBe("cost");
  });
});

describe("parseCostTable", () => {
  it.each([
    ["", /holds no rows/],
    ["a,b\n1,2\n", /no heading is known \(a, b\)/],
    ["name,energy [kg]\nx,1\n", /unit "kg" is not one of energy/],
    ["name,days [kWh]\nx,1\n", /unit "kWh" is not one of days, expected d, days, h, hours/],
    ["name,days\nx,three\n", /x, days: is "three", expected a number/],
    ["[1,2]", /a row is no object/],
    ["[{", /not JSON/],
  ])("refuses %j", (bad, sentence) => expect(() => parseCostTable(bad, "t")).toThrow(sentence));
  it("gives a table or a DataError for any text", () => {
    const cell = fc.constantFrom("1", "1.5e3", "days", "gpus", "energy [MWh]", "x", "|", "1,000", '"', "-", "model", "__proto__");
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.array(fc.array(cell, { maxLength: 5 }).map((row) => row.join(","))).map((rows) => rows.join("\n")), fc.json()), (any) => {
        try {
          auditTable(parseCostTable(any, "any"));
        } catch (error) {
          expect(error).toBeInstanceOf(DataError);
        }
      }),
    );
  });
});
