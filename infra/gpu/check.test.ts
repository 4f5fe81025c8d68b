/** The check of a GPU machine, here on the emulation: that it compares, finds differences, and reports what it could not do. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";

const built = join(import.meta.dirname, "..", "..", "packages", "kernels", "build", `${process.platform}-${process.arch}`);
const libraries = ["--cpu", join(built, "espalier_kernels.node"), "--cuda", join(built, "espalier_cuda_emulated.so")];
const out = mkdtempSync(join(tmpdir(), "gpu-check-"));
afterAll(() => rmSync(out, { recursive: true }));

const python = (args: string[]) =>
  spawnSync("python3", args, { encoding: "utf8", cwd: import.meta.dirname, env: { ...process.env, PYTHONDONTWRITEBYTECODE: "1" } });
const hasPython = python(["--version"]).status === 0;

interface Results {
  checks: { part: string; title: string; passed: boolean | null; problem: string }[];
  speeds: { name: string; value: number }[];
}

describe.skipIf(!hasPython)("infra/gpu/check (skipped without python3)", () => {
  it("compares ops with the CPU kernels, times them, and writes table and JSON", () => {
    const { status, stdout, stderr } = python(["check", "--only", "ops", "--only", "speed", "--small", "--case", "matmul 1", ...libraries, "--out", out]);
    expect(stderr).toBe("");
    expect(stdout).toMatch(/ops {8}[23]\d passed, 0 failed/);
    expect(status).toBe(0);
    const [json] = readdirSync(out).filter((name) => name.endsWith(".json"));
    const { checks, speeds } = JSON.parse(readFileSync(join(out, json!), "utf8")) as Results;
    expect(checks.every(({ passed }) => passed)).toBe(true);
    expect(speeds.map(({ name }) => name)).toEqual(["matmul 64x64x64 bf16", "matmul dW 64x64x64 bf16", "matmul dW 64x64x64 bf16 and bias"]);
    expect(readFileSync(join(out, json!.replace(".json", ".md")), "utf8")).toContain("matmul");
  });

  it("times every kind of kernel, in both formats", () => {
    const { status, stdout } = python(["check", "--only", "speed", "--small", ...libraries, "--out", out]);
    for (const name of ["matmul 64x64x64 bf16", "causalAttentionGrad B1 T64 N1 D64 bf16", "layerNorm", "layerNorm bf16", "adamw"]) {
      expect(stdout).toMatch(new RegExp(`^${name} +\\d+ (TFLOP/s|GB/s)`, "m"));
    }
    expect(status).toBe(0);
  });

  it("tests our own products too where cuBLASLt multiplies", () => {
    const { stdout } = spawnSync("python3", ["check", "--only", "ops", "--case", "matmul 1x1x1", ...libraries, "--again", "--out", out], {
      encoding: "utf8", cwd: import.meta.dirname, env: { ...process.env, ESPALIER_CUDA_LIBRARIES: built, PYTHONDONTWRITEBYTECODE: "1" },
    });
    const passed = Number(/ops +(\d+) passed, 0 failed/.exec(stdout)![1]);
    const { stdout: alone } = python(["check", "--only", "ops", "--case", "matmul 1x1x1", ...libraries, "--again", "--out", out]);
    expect(passed).toBeGreaterThan(Number(/ops +(\d+) passed, 0 failed/.exec(alone)![1]));
  });

  it("says what it could not do, and does not call that a success", () => {
    const { status, stdout } = python(["check", "--only", "memcheck", "--case", "gelu", ...libraries, "--out", out]);
    // Where there is a compute-sanitizer it runs, and finds no GPU.
    expect(stdout).toMatch(/memcheck {3}0 passed, (0 failed, 1 impossible|1 failed)/);
    expect([1, 2]).toContain(status);
  });

  const withCases = (name: string, body: string, ...args: string[]) => {
    const file = join(out, `${name}.py`);
    writeFileSync(file, `import os, time\nfrom espalier_abi import Case, Tensor\ndef all_cases():\n    return [${body}]\n`);
    const folder = join(out, name);
    const { status, stdout, stderr } = python(["check", "--only", "ops", "--cases", file, ...libraries, "--out", folder, ...args]);
    const json = readdirSync(folder).find((entry) => entry.endsWith(".json"))!;
    return { status, stdout, stderr, ...(JSON.parse(readFileSync(join(folder, json), "utf8")) as Results) };
  };
  const gelu = (size: number, more = "") => `Case("gelu", [Tensor((${size},)${more})], [(${size},)], tolerance=1e-5)`;

  it("finds a difference", () => {
    const { status, stdout } = withCases("difference", 'Case("gelu", [Tensor((40,))], [(40,)], tolerance=-1)');
    expect(stdout).toContain("1 passed, "); // stored in bf16, with a tolerance of its own
    expect(stdout).toMatch(/gelu 40: differs/);
    expect(stdout).toMatch(/matmul: has no case/);
    expect(status).toBe(1);
  });

  it("loses one case to a crash or an error, and goes on behind it", () => {
    const { status, checks } = withCases("crash", [gelu(40), gelu(41, ", lambda i: os.abort()"), gelu(42, ", lambda i: 1 / 0"), gelu(43)].join(", "), "--case", "gelu");
    const named = (title: string) => checks.filter((check) => check.title === title);
    expect(named("gelu 40")).toMatchObject([{ passed: true }]);
    expect(named("gelu 41")[0]).toMatchObject({ passed: false, problem: expect.stringContaining("died of signal 6") as string });
    expect(named("gelu 42")[0]).toMatchObject({ passed: false, problem: expect.stringContaining("ZeroDivisionError") as string });
    expect(named("gelu 43")).toMatchObject([{ passed: true }]);
    expect(checks.filter(({ title }) => title.endsWith("stored in bf16"))).toHaveLength(4);
    expect(status).toBe(1);
  });

  it("ends when its time is over, with what it has, and goes on with the parts that were not finished", () => {
    const slow = [gelu(40), gelu(41, ", lambda i: (time.sleep(60 * os.path.exists(os.environ.get('SLOW', '')))) or 1.0")].join(", ");
    process.env.SLOW = out;
    const first = withCases("time", slow, "--case", "gelu", "--minutes", "0.1");
    delete process.env.SLOW;
    expect(first.checks.map(({ title, passed, problem }) => [title, passed, problem.slice(0, 12)])).toEqual([["gelu 40", true, ""], ["gelu 41", null, "no time left"]]);
    expect(first.status).toBe(2);
    const second = withCases("time", slow, "--case", "gelu");
    expect(second.checks.map(({ passed }) => passed)).toEqual([true, true, true, true]);
    expect(second.status).toBe(0);
    const third = withCases("time", slow, "--case", "gelu");
    expect(third.stdout).toContain("ops: finished before");
    expect(third.checks).toEqual(second.checks);
  });

  it("runs both of our own products and attentions on Hopper", () => {
    const script = `
import importlib.machinery, importlib.util
loader = importlib.machinery.SourceFileLoader("check", "check")
check = importlib.util.module_from_spec(importlib.util.spec_from_loader("check", loader)); loader.exec_module(check)
print([row[0] for row in check.planned(["ops", "speed", "memcheck"], "NVIDIA H100, compute capability 9.0, 81000 MiB; no cuBLASLt")])`;
    expect(python(["-c", script]).stdout.trim()).toBe("['ops', 'speed', 'ops wgmma', 'speed wgmma', 'ops mma', 'speed mma', 'memcheck', 'speed attention without turns', 'ops attention mma', 'speed attention mma', 'memcheck attention mma']");
  });

  const libcuda = () => python(["-c", "import ctypes; ctypes.CDLL('libcuda.so.1')"]).status === 0;
  it.skipIf(hasPython && libcuda())("says in one sentence that there is no GPU, before it builds anything (skipped with a driver)", () => {
    const work = join(out, "nothing");
    const { status, stdout, stderr } = python(["check", "--work", work, "--out", join(out, "no-results")]);
    expect(stderr).toBe("check: no NVIDIA driver: libcuda.so.1 does not open; expected an NVIDIA GPU of compute capability 8.0 or later with its driver. Nothing was built or run.\n");
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(readdirSync(out)).not.toContain("nothing");
  });

  describe("NCCL", () => {
    const log = join(out, "nccl-calls");
    const withNccl = (libraries_: string, fault?: string) => {
      rmSync(log, { force: true });
      const environment = { ESPALIER_CUDA_LIBRARIES: libraries_, ESPALIER_FAKE_NCCL_LOG: log, ESPALIER_FAKE_NCCL_FAULT: fault ?? "", PYTHONDONTWRITEBYTECODE: "1" };
      const { status, stdout } = spawnSync("python3", ["check", "--only", "ops", "--case", "NCCL", "--again", ...libraries, "--out", out], {
        encoding: "utf8", cwd: import.meta.dirname, env: { ...process.env, ...environment },
      });
      return { status, stdout, calls: existsSync(log) ? readFileSync(log, "utf8").trim().split("\n") : [] };
    };

    it("sums over one rank in both formats, and gives back what it took", () => {
      const { status, stdout, calls } = withNccl(built);
      expect(stdout).toMatch(/ops +1 passed, 0 failed$/m);
      expect(calls).toEqual(["id", "init", "sum of 1000, type 7", "sum of 1000, type 9", "destroy"]);
      expect(status).toBe(0);
    });

    it.each([
      ["id", "NCCL: making an id: a status of the stand-in (status 3)", ["id"]],
      ["init", "NCCL: joining the other ranks: a status of the stand-in (status 3)", ["id", "init"]],
      ["sum", "NCCL: summing over ranks: a status of the stand-in (status 4)", ["id", "init", "sum of 1000, type 7", "destroy"]],
      ["wrong", "the sums of one rank in fp32 are other numbers than it gave", ["id", "init", "sum of 1000, type 7", "destroy"]],
    ])("fails with its own words where %s does", (fault, sentence, expected) => {
      const { status, stdout, calls } = withNccl(built, fault);
      expect(stdout).toContain(sentence);
      expect(calls).toEqual(expected);
      expect(status).toBe(1);
    });

    it("is impossible where there is none, with what was tried", () => {
      const { status, stdout } = withNccl(join(out, "nowhere"));
      expect(stdout).toMatch(/ops +0 passed, 0 failed, 1 impossible/);
      expect(stdout).toContain(`NCCL: no NCCL, tried ${out}/nowhere/libnccl.so.2, ${out}/nowhere/libnccl.so, libnccl.so.2, `);
      expect(status).toBe(2);
    });
  });

  it("has a case for every op", () => {
    const script = `
import cases; from espalier_abi import Library
cpu = Library(${JSON.stringify(libraries[1])})
print(sorted(set(cpu.ops) - {case.op for case in cases.all_cases()}))`;
    expect(python(["-c", script]).stdout.trim()).toBe("[]");
  });
});

describe.skipIf(!hasPython)("infra/gpu/train (skipped without python3)", () => {
  it.each(["absent.tar.xz", "text.tar.xz"])("says in one sentence that %s is no archive", (name) => {
    writeFileSync(join(out, "text.tar.xz"), "no archive");
    const { status, stderr } = python(["train", join(out, name)]);
    expect(stderr).toBe(`train: ${join(out, name)}: is no archive, expected one that infra/gpu/pack has made. Name it.\n`);
    expect(status).toBe(2);
  });

  it.skipIf(hasPython && python(["-c", "import ctypes; ctypes.CDLL('libcuda.so.1')"]).status === 0)("trains nothing where doctor finds no GPU (skipped with a driver)", () => {
    // An archive whose `espalier doctor` says what it says on such a machine.
    const root = join(out, "packed");
    mkdirSync(root);
    const said = { kind: "doctor", value: { cuda: { available: false, device: "no CUDA device", tried: ["here (loaded)"] } } };
    writeFileSync(join(root, "node"), `#!/bin/sh\necho '${JSON.stringify(said)}'\n`, { mode: 0o755 });
    spawnSync("tar", ["-cf", join(out, "run.tar"), "-C", root, "."]);
    const { status, stderr } = python(["train", join(out, "run.tar"), "--cuda", libraries[3]!, "--out", join(out, "trained")]);
    expect(stderr).toBe("train: no CUDA device; expected an NVIDIA GPU with its driver. Looked at: here (loaded).\n");
    expect(status).toBe(2);
  });
});

describe("gpt2Plan", () => {
  it("prints a plan of each size, with GPT-2's number of parameters", () => {
    const plan = (...args: string[]) => spawnSync(process.execPath, ["--conditions=@espalier/source", join(import.meta.dirname, "gpt2Plan.ts"), ...args], { encoding: "utf8" });
    const { stages, precision } = JSON.parse(plan("124M", "--steps", "3").stdout) as { precision: string; stages: { tokens: number; model: { residualDim: number; numLayers: number; vocabSize: number; seqLen: number } }[] };
    expect({ precision, tokens: stages[0]!.tokens }).toEqual({ precision: "bf16", tokens: 3 * 32 * 1024 });
    const { residualDim: C, numLayers: L, vocabSize: V, seqLen: T } = stages[0]!.model;
    expect((12 * C * C + 13 * C) * L + (V + T) * C + 2 * C).toBe(124_475_904);
    expect(plan("7B").stderr).toContain("found 7B, expected one of 124M, 355M, 774M, 1558M");
  });
});
