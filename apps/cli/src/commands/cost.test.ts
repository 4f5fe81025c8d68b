import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";

const directory = mkdtempSync(join(tmpdir(), "espalier-cli-"));
afterAll(() => rmSync(directory, { recursive: true }));

const main = join(import.meta.dirname, "../main.ts");
const args = ["--conditions=@espalier/source", "--disable-warning=ExperimentalWarning", main];
const env = { ...process.env, INIT_CWD: directory, NO_COLOR: "1" };
const run = (...words: string[]) => execFileSync(process.execPath, [...args, ...words], { encoding: "utf8", env });
const fail = (...words: string[]) => {
  const { status, stderr } = spawnSync(process.execPath, [...args, ...words], { encoding: "utf8", env });
  return { status, stderr };
};

describe("espalier cost", () => {
  it("shows a model with parts that sum to the step, and the layout that was asked for", () => {
    const [line] = run("--json", "cost", "flm-101b", "--tensor", "4", "--pipeline", "4", "--batch", "2160", "--tokens", "26.54B").trim().split("\n");
    const { kind, value } = JSON.parse(line!) as { kind: string; value: { step: { seconds: number; parts: { seconds: number }[] }; layout: { data: number }; cost: { days: { value: number } }; warnings: string[] } };
    expect(kind).toBe("cost");
    expect(value.layout.data).toBe(12);
    expect(value.step.parts.reduce((sum, part) => sum + part.seconds, 0)).toBeCloseTo(value.step.seconds, 9);
    expect(value.cost.days.value).toBeGreaterThan(5);
    expect(value.cost.days.value).toBeLessThan(8);
    expect(value.warnings.join(" ")).toContain("outside the fitted");
  });
  it("moves with a measured step", () => {
    const layout = ["--tensor", "4", "--pipeline", "4", "--batch", "2160"];
    const seconds = (text: string) => Number(/step +([\d.]+) s/.exec(text)![1]);
    expect(seconds(run("cost", "flm-101b", ...layout, "--measured-step", "95"))).toBeGreaterThan(seconds(run("cost", "flm-101b", ...layout)) + 5);
  });
  it("writes a spreadsheet and a picture", () => {
    run("cost", "llama-2-7b", "--gpu", "H100-SXM-80GB", "--gpus", "64", "--csv", "cost.csv", "--svg", "cost.svg");
    expect(readFileSync(join(directory, "cost.csv"), "utf8")).toMatch(/^group,name,value,unit,low,high,source\ntotal,step,/);
    expect(readFileSync(join(directory, "cost.svg"), "utf8")).toMatch(/^<svg [\s\S]*matrix products[\s\S]*<\/svg>\n$/);
  });
  it.each([
    [["cost", "flm101b"], "Nearest: flm-101b"],
    [["cost", "flm-101b", "--gpu", "A800"], "Nearest: A800-SXM-80GB"],
    [["cost", "flm-101b", "--tokens", "21d"], "--tokens: is \"21d\", with a unit of days, expected tokens"],
    [["cost", "flm-101b", "--tensor", "3", "--pipeline", "4"], "expected"],
    [["cost", "llama-2-70b", "--gpus", "1"], "no layout fits 1 A800-SXM-80GB"],
    [["cost", "flm-101b", "--grid", "mars"], "--grid: is \"mars\""],
    [["plan", "--budget", "21d"], "--budget: is \"21d\", with a unit of days, expected dollars"],
    [["cost", "growth"], "--report: is missing"],
    [["cost", "growth", "--report", "cost.csv"], "not JSON"],
    [["audit", "missing.csv"], "missing.csv"],
  ])("%j is refused with one sentence", (words, sentence) => {
    const { status, stderr } = fail(...words);
    expect(status).toBe(1);
    expect(stderr).toContain(sentence);
    expect(stderr.trim().split("\n")).toHaveLength(1);
  });
});

describe("espalier plan", () => {
  it("beats the paper's schedule under every reading for its money, and writes the front", () => {
    const text = run("plan", "flm-101b", "--csv", "plan.csv", "--svg", "plan.svg");
    for (const reading of ["naive", "loss matching", "with fitted transfer"]) expect(text).toMatch(new RegExp(`${reading}.*: 0\\.\\d+ nats below the schedule compared with for the same money, or its loss for \\d+ % of its money`));
    for (const rival of ["from scratch", "plain smaller model", "compared with"]) expect(text).toContain(rival);
    expect(readFileSync(join(directory, "plan.csv"), "utf8").split("\n").length).toBeGreaterThan(20);
    expect(readFileSync(join(directory, "plan.svg"), "utf8")).toContain("growth to the target");
  });
});

describe("espalier plan --page", () => {
  it("writes the planner as one file", () => {
    run("plan", "--page", "planner.html");
    expect(readFileSync(join(directory, "planner.html"), "utf8")).toMatch(/^<!doctype html>[\s\S]*What to grow, when/);
  });
});

describe("espalier audit", () => {
  it("finds what does not add up in a file", () => {
    writeFileSync(join(directory, "table.csv"), "model,gpus,days,gpu hours\nours,8,10,1920\ntheirs,8,10,2400\n");
    const text = run("audit", "table.csv");
    expect(text).toMatch(/contradiction +theirs: 2400 is printed as GPU hours, GPUs x days x 24 gives 1920/);
    expect(text).toContain("1 contradiction in 1 finding.");
  });
});
