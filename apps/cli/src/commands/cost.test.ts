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
  it("says what to change when a given layout does not fit, and still shows the numbers", () => {
    const text = run("cost", "flm-101b", "--tensor", "8", "--pipeline", "1", "--batch", "2304");
    expect(text).toMatch(/memory +[\d.]+ of 80 GiB on the fullest GPU: does not fit/);
    expect(text).toMatch(/share out weights, gradients and state \(FSDP\): [\d.]+ of 80 GiB/);
  });
  it("clamps a law outside its fit and says so, on screen and in the result", () => {
    expect(run("cost", "flm-101b")).toContain("warning: epoch: parameters 1.02e+11 is outside the fitted 4.40e+7 to 1.62e+10, taken as 1.62e+10");
    const { value } = JSON.parse(run("--json", "cost", "flm-101b")) as { value: { losses: { loss: number; extrapolated: number; warnings: string[] }[] } };
    for (const { loss, extrapolated, warnings } of value.losses) {
      expect(warnings.length).toBeGreaterThan(0);
      expect(loss).not.toBe(extrapolated);
    }
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
    [["cost", "llama-2-70b", "--gpus", "1"], "no layout fits 1 A800-SXM-80GB: the smallest layout needs 1093 of 80 GiB. Take 16 GPUs, where it fits"],
    [["cost", "flm-101b", "--grid", "mars"], "--grid: is \"mars\""],
    [["cost", "flm-101b", "--tensor", "3"], "no layout fits 192 A800-SXM-80GB: tensor: is 3, expected a divisor of the 80 heads. Choose a divisor."],
    [["cost", "flm-101b", "--gpus", "5000000"], "numGpus: is 5000000, expected a whole number from 1 to a million"],
    [["cost", "flm-101b", "--tensor", "4", "--pipeline", "5", "--batch", "2160"], "tensor x pipeline x context is 20, expected a divisor of the 192 GPUs. Change one of them."],
    [["cost", "flm-101b", "--tensor", "3", "--pipeline", "4", "--batch", "2160"], "tensor: is 3, expected a divisor of the 80 heads. Choose a divisor."],
    [["cost", "flm-101b", "--tensor", "4", "--pipeline", "4", "--batch", "2161"], "2161 sequences over data 12 x micro-batch 1 is not whole"],
    [["cost", "flm-101b", "--tensor", "4", "--pipeline", "4", "--batch", "4423680"], "That looks like tokens; divide by 2048."],
    [["cost", "flm-101b", "--precision", "fp8"], "precision: is fp8, which A800-SXM-80GB does not have. Use bf16."],
    [["cost", "flm-101b", "--network", "25e9"], "Do not give bits or bytes"],
    [["cost", "flm-101b", "--price", "400 W"], "--price: is \"400 W\" with the unit \"W\", expected dollars an hour"],
    [["cost", "flm-101b", "--measured-step", "311B"], "--measured-step: is \"311B\", with a unit of tokens, expected seconds"],
    [["cost", "flm-101b", "--pue", "110"], "--pue: is \"110\", expected 1 to 4"],
    [["cost", "48x5000"], "has width 5000, expected a multiple of 128"],
    [["plan", "flm-101b", "--gpus", "8"], "does not fit 8 A800-SXM-80GB"],
    [["plan", "flm-101b", "--data", "21 days"], "--data: is \"21 days\", with a unit of days, expected tokens"],
    [["plan", "flm-101b", "--instead", "flm-16b"], "expected MODEL:TOKENS such as flm-16b:245B"],
    [["simulate", "flm-101b", "--checkpoint", "5B"], "--checkpoint: is \"5B\", with a unit of tokens, expected seconds"],
    [["simulate", "flm-101b", "--spares", "2"], "expected both or neither"],
    [["simulate", "flm-101b", "--spares", "1.5", "--repair-hours", "4"], "--spares: is \"1.5\""],
    [["simulate", "flm-101b", "--mtbf-hours", "0.5"], "Use fewer devices, or faster checkpoints and restarts"],
    [["simulate", "flm-101b", "--notice", "60s"], "--notice: is given without --slow-hours"],
    [["simulate", "flm-101b", "--slow-hours", "1000", "--slowdown", "0.5"], "Give a factor, not percent"],
    [["simulate", "llama-2-7b", "--gpu", "H100-SXM-80GB", "--gpus", "8", "--svg", "x.svg"], "has one pipeline stage"],
    [["plan", "--budget", "21d"], "--budget: is \"21d\", with a unit of days, expected dollars"],
    [["cost", "growth"], "--report: is missing"],
    [["cost", "growth", "--report", "cost.csv"], "not JSON"],
    [["audit", "missing.csv"], "missing.csv"],
  ])("%j is refused with one sentence", (words, sentence) => {
    const { status, stderr } = fail(...words);
    expect(status).toBe(words.some((word) => word === "cost.csv" || word === "missing.csv") ? 1 : 2); // a look at a file, or wrong usage
    expect(stderr).toContain(sentence);
    expect(stderr.trim().split("\n")).toHaveLength(1);
  });
});

describe("espalier simulate", () => {
  it("has parts that sum to the days and a goodput near the closed form, and is the same for the same seed", () => {
    const words = ["--json", "simulate", "flm-101b", "--tensor", "4", "--pipeline", "4", "--batch", "2304", "--spares", "2", "--repair-hours", "24", "--csv", "runs.csv", "--svg", "pipeline.svg"];
    const text = run(...words);
    const { kind, value } = JSON.parse(text) as { kind: string; value: { seconds: { value: number }; goodput: { value: number }; parts: Record<string, number>; closedForm: { goodput: number }; runs: unknown[] } };
    expect(kind).toBe("simulation");
    expect(Object.values(value.parts).reduce((a, b) => a + b, 0) / value.seconds.value).toBeCloseTo(1, 9);
    expect(Math.abs(value.goodput.value / value.closedForm.goodput - 1)).toBeLessThan(0.02);
    expect(value.runs).toHaveLength(20);
    expect(run(...words)).toBe(text);
    expect(readFileSync(join(directory, "runs.csv"), "utf8").trim().split("\n")).toHaveLength(21);
    expect(readFileSync(join(directory, "pipeline.svg"), "utf8")).toMatch(/^<svg [\s\S]*rank 3, micro-batch 15: backward[\s\S]*<\/svg>\n$/);
  });
  it("says where the time goes, with slow devices and growth", () => {
    const text = run("simulate", "llama-3-405b", "--gpu", "H100-SXM-80GB", "--gpus", "100000", "--runs", "2", "--slow-hours", "300000", "--notice", "10min", "--growths", "2");
    for (const part of ["training", "checkpoints", "lost to failures", "restarts", "slow devices", "growth"]) expect(text).toMatch(new RegExp(`${part} +[\\d.]+ +[\\d.]+ %`));
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

describe("a reader that has seen enough", () => {
  it("is no failure", () => {
    const command = [process.execPath, ...args, "plan", "flm-101b"].map((word) => `'${word}'`).join(" ");
    const { stderr, stdout, status } = spawnSync("sh", ["-c", `(${command}; echo $? >&2) | head -n 1`], { encoding: "utf8", env });
    expect(stdout).toMatch(/^flm-101b \(102B\)/);
    expect(stderr.trim()).toBe("0");
    expect(status).toBe(0);
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
