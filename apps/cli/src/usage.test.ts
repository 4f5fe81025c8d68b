import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { runProgram } from "./command.ts";
import { commands, programFor } from "./program.ts";
import { temporaryDirectory } from "./testing/run.ts";
import { workspace as published } from "./workspace/published.ts";

const scratch = temporaryDirectory();
const at = (...names: string[]) => join(scratch, ...names);
beforeAll(() => {
  writeFileSync(at("plan.json"), "{");
  writeFileSync(at("text.txt"), "A text.\n");
  mkdirSync(at("set"));
});
afterAll(() => rmSync(scratch, { recursive: true }));
afterEach(() => vi.restoreAllMocks());

/** Runs a command line in this process: what it wrote, without colours, and the exit code that it would have. */
async function run(args: readonly string[]): Promise<{ code: number; stderr: string; stdout: string }> {
  const [kept, written] = [process.exitCode, { stderr: "", stdout: "" }];
  for (const name of ["stderr", "stdout"] as const) {
    vi.spyOn(process[name], "write").mockImplementation((text: unknown) => ((written[name] += stripVTControlCharacters(String(text))), true));
  }
  process.exitCode = undefined;
  try {
    await runProgram(await programFor(args, "0.0.0"), ["node", "espalier", ...args]);
    return { code: Number(process.exitCode ?? 0), ...written };
  } finally {
    process.exitCode = kept;
    vi.restoreAllMocks();
  }
}

/** Command lines that cannot be meant: said from the words alone. */
const wrong: readonly (readonly [line: string, says: RegExp])[] = [
  ["", /Usage: espalier/],
  ["grwo", /unknown command 'grwo'/],
  ["reproduce --scale huge", /Allowed choices are smoke, default/],
  ["reproduce --minutes -3", /expected a number above 0/],
  ["data", /Usage: espalier data/],
  ["data pull", /missing required argument 'name'/],
  ["data pull nothing", /corpus "nothing", expected one of /],
  ["data pull fineweb-edu-10bt --files 0", /expected a whole number of at least 1/],
  ["tokens x --limit some", /expected a whole number/],
  ["tokens a b", /too many arguments/],
  ["tokenize --out OUT", /missing required argument 'paths'/],
  ["tokenize text.txt", /required option '--out <dir>'/],
  ["tokenize x --out OUT --vocab 10", /expected at least 257/],
  ["tokenize x --out OUT --validation 2", /between 0 and 1/],
  ["tokenize x --out OUT --slice 1/2", /--slice: no --tokenizer/],
  ["tokenize x --out OUT --slice 3/2 --tokenizer gpt2", /expected i\/n/],
  ["tokenize x --out OUT --slice 1/2 --tokenizer gpt2 --format megatron", /--format: with --slice/],
  ["tokenize https://example.org/a.txt --out OUT --dry-run", /--dry-run: addresses/],
  ["train", /--data is missing.*espalier train --example/],
  ["train --example --data x", /--example: with --plan or --data/],
  ["train --data x --fork y", /--fork: without --plan/],
  ["report", /missing required argument 'dir'/],
  ["train --plan PLAN --data x --out OUT --precision fp8", /Allowed choices are fp32, bf16/],
  ["train --plan PLAN --data x --out OUT --fork-at 10", /--fork-at: given without --fork/],
  ["grow", /grow: no model named/],
  ["grow x --layers 4", /--out is missing/],
  ["grow x --out OUT", /no size named/],
  ["grow x --out OUT --layers 0", /whole number of at least 1/],
  ["grow x --out OUT --layers 4 --operators depht=stack", /found "depht=stack"/],
  ["grow x --out OUT --layers 4 --operators depth=stakc", /depth=stakc, expected one of identity, msg, /],
  ["grow x --out OUT --layers 4 --operators depth=net2Wider", /depth=net2Wider, expected one of identity, msg, /],
  ["eval", /missing required argument 'model'/],
  ["eval x --tasks countin", /Nearest: counting/],
  ["eval x --items many", /expected a whole number from 1, quick, paper or large/],
  ["eval x --tasks counting --chat", /--chat is for endpoints/],
  ["eval http://127.0.0.1:1/v1 --tasks counting", /--model is missing/],
  ["eval http://127.0.0.1:1/v1 --stages", /--stages needs the directory of a run/],
  ["eval curve x nothing --over length=2", /"nothing" is no task/],
  ["eval curve x copying --over length", /expected a knob and its values/],
  ["eval curve x copying --over size=3", /knob size is 3, expected one of length/],
  ["eval curve x copying --over level=easy", /expected one of tiny, small/],
  ["eval leak x --private-seed heron --tasks boolq", /only generated tests/],
  ["eval symbols set/dev.json", /names no set/],
  ["eval golden", /required option '--sets <dir>'/],
  ["eval compare a", /missing required argument 'b'/],
  ["eval ngrams --tasks boolq --out OUT", /--sets is missing/],
  ["eval list more", /too many arguments/],
  ["generate", /missing required argument 'model'/],
  ["generate x --temperature -1", /expected a number of at least 0/],
  ["export x", /required option '--out <dir>'/],
  ["export x --out OUT --family bert", /Allowed choices are starcoder2/],
  ["cost nothing", /"nothing", expected a known model or a shape/],
  ["cost flm-101b --tokens 3x", /with the unit "x"/],
  ["cost flm-101b --gpu T1000", /expected one of the catalogue/],
  ["cost flm-101b --grid MARS", /--grid: is "MARS"/],
  ["cost flm-101b --tensor 7 --pipeline 1", /7/],
  ["cost growth", /--report: is missing/],
  ["plan nothing", /"nothing", expected a known model/],
  ["plan --budget much", /--budget: is "much"/],
  ["plan --instead flm-16b", /expected MODEL:TOKENS/],
  ["simulate nothing", /"nothing", expected a known model/],
  ["simulate --spares 2", /--spares and --repair-hours: one is missing/],
  ["simulate --growths -1", /expected a whole number of at least 0/],
  ["audit a.csv b.csv", /too many arguments/],
  ["serve --port 70000", /expected a port/],
  ["serve x --data y", /--data without --checkpoint/],
  ["doctor --jsno", /Did you mean --json/],
];

/** Command lines that mean something, and whose work fails: a look at a file or a model says so. */
const failing: readonly (readonly [line: string, says: RegExp])[] = [
  ["reproduce --plan absent.json --out OUT", /absent\.json: it does not exist/],
  ["reproduce --corpus absent.txt --out OUT", /absent\.txt: it does not exist/],
  ["data list --manifest absent.json", /absent\.json: it does not exist/],
  ["tokens x --tokenizer absent.json", /absent\.json/],
  ["tokenize absent.txt --out OUT", /does not exist/],
  ["tokenize TEXT --out TEXT", /text\.txt: a file stands where a directory is needed/],
  ["train --plan PLAN --data x --out OUT", /plan\.json: not JSON/],
  ["grow absent --layers 4 --out OUT", /expected a Hugging Face model directory/],
  ["eval absent", /does not exist/],
  ["eval compare absent absent", /no samples/],
  ["generate absent", /does not exist/],
  ["report absent", /does not exist/],
  ["export absent --out OUT", /does not exist/],
  ["cost growth --report absent.json", /absent\.json: it does not exist/],
  ["plan --page absent/page.html", /absent/],
  ["simulate --csv absent/runs.csv --runs 1", /absent/],
  ["audit absent.csv", /absent\.csv: it does not exist/],
  ["serve --checkpoint absent", /does not exist/],
];

const words = (line: string) =>
  line.split(" ").filter((word) => word !== "").map((word) => (word === "OUT" ? at("out") : word === "PLAN" ? at("plan.json") : word === "TEXT" ? at("text.txt") : word.startsWith("absent") ? at(word) : word));

describe("exit codes", () => {
  it.each(wrong)("2, and nothing on standard output: espalier %s", async (line, says) => {
    const { code, stderr, stdout } = await run(words(line));
    expect(stderr).toMatch(says);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(readdirSync(scratch).sort()).toEqual(["plan.json", "set", "text.txt"]);
  });

  it.each(failing)("1: espalier %s", async (line, says) => {
    const { code, stderr } = await run(words(line));
    expect(stderr).toMatch(says);
    expect(stderr).toMatch(/^error [^\n]+\n$/);
    expect(code).toBe(1);
    if (line.startsWith("reproduce")) expect(existsSync(at("out"))).toBe(false); // its first minutes would be counted from here
  });

  it("has a line of each kind for every command that can fail", () => {
    const commandsOf = (lines: typeof wrong) => new Set(lines.map(([line]) => line.split(" ")[0]!));
    for (const name of Object.keys(commands)) expect(commandsOf(wrong), name).toContain(name);
    for (const name of Object.keys(commands)) if (name !== "doctor") expect(commandsOf(failing), name).toContain(name);
  });

  it("0 for help and the version", async () => {
    for (const line of ["--help", "--version", "train --help", "eval curve --help"]) expect(await run(words(line))).toMatchObject({ code: 0, stderr: "" });
  });

  it("the published package, which carries no corpus, asks for one as wrong usage", async () => {
    await expect(published.defaultCorpus()).rejects.toMatchObject({ code: "BAD_USAGE" });
  });
});
