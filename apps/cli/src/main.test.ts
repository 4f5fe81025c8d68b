import { once } from "node:events";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { join } from "node:path";
import { cudaStatus, nativeStatus } from "@espalier/kernels";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { documents, espalier, jsonLines, start, temporaryDirectory, tinyModel, tinyPlan } from "./testing/run.ts";

const scratch = temporaryDirectory();
const at = (...names: string[]) => join(scratch, ...names);
afterAll(() => rmSync(scratch, { recursive: true }));

const VOCAB = 320;
const sentence = (stderr: string) => stderr.trim();

describe("espalier", () => {
  it("lists its commands and ends with 0 for --help, with 2 for nothing", async () => {
    const [help, nothing, version] = await Promise.all([espalier("--help"), espalier(), espalier("--version")]);
    expect(help.status).toBe(0);
    const commands = readdirSync(join(import.meta.dirname, "commands")).filter((file) => !file.endsWith(".test.ts")).map((file) => file.replace(".ts", ""));
    expect(commands).toContain("reproduce");
    for (const command of commands) expect(help.stdout).toMatch(new RegExp(`^ +${command}\\b`, "m"));
    expect(nothing.status).toBe(2);
    expect(version).toMatchObject({ status: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) as string });
  });

  it.each([
    [["tokenise"], /unknown command 'tokenise'/],
    [["doctor", "--jsno"], /unknown option '--jsno'\n\(Did you mean --json\?\)/],
    [["train", "--plan", "x", "--out", "y"], /--data is missing/],
    [["tokenize", "x", "--out", "y", "--vocab", "many"], /'--vocab <size>' argument 'many' is invalid\. expected a whole number/],
    [["reproduce", "--minutes", "-3"], /argument '-3' is invalid\. expected a number above 0/],
    [["reproduce", "--scale", "huge"], /Allowed choices are smoke, default/],
    [["train", "--plan", "p", "--data", "d", "--out", "o", "--precision", "fp16"], /'fp16' is invalid\. Allowed choices are fp32, bf16\./],
    [["train", "--plan", "p", "--data", "d", "--out", "o", "--device", "tpu"], /'tpu' is invalid\. Allowed choices are cpu, cuda\./],
    [["serve", "--port", "70000"], /expected a port from 0 to 65535/],
  ])("ends with 2 and says what is wrong: %j", async (args, message) => {
    const { status, stderr, stdout } = await espalier(...args);
    expect(stderr).toMatch(message);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
  });

  it("doctor names node, cores, memory and kernels, and prints one JSON object with --json", async () => {
    const [text, json] = await Promise.all([espalier("doctor"), espalier("doctor", "--json")]);
    expect(text.stdout).toMatch(/^node .*\ncores .*\nmemory .*\nkernels /);
    const [line, ...rest] = jsonLines(json.stdout);
    expect(rest).toEqual([]);
    expect(line).toMatchObject({ kind: "doctor", value: { available: nativeStatus().available } });
  });
});

// Training through the reference executor would take minutes; in CI a missing addon fails in packages/kernels.
describe.skipIf(!nativeStatus().available)("a corpus, a run, its evaluation (needs the native executor)", () => {
  beforeAll(async () => {
    writeFileSync(at("text.jsonl.gz"), gzipSync(documents(300)));
    const tokenized = await espalier("tokenize", at("text.jsonl.gz"), "--out", at("data"), "--vocab", String(VOCAB), "--validation", "0.05");
    expect(tokenized).toMatchObject({ status: 0, stderr: "" });
    writeFileSync(at("plan.json"), JSON.stringify(tinyPlan(VOCAB, 40)));
    const trained = await espalier("train", "--plan", at("plan.json"), "--data", at("data"), "--out", at("run"), "--threads", "1", "--json");
    expect(trained).toMatchObject({ status: 0, stderr: "" });
    writeFileSync(at("trained.jsonl"), trained.stdout);
  });
  const result = () => jsonLines(readFileSync(at("trained.jsonl"), "utf8")).find(({ kind }) => kind === "done")!.value as unknown as { checkpoint: string; digest: string; steps: number; validationLoss: number };

  it("train reports metrics and the result as JSON lines, grows once, and learns", () => {
    const lines = jsonLines(readFileSync(at("trained.jsonl"), "utf8"));
    expect(new Set(lines.map(({ kind }) => kind))).toEqual(new Set(["progress", "metric", "done"]));
    expect(result().steps).toBe(80);
    expect(result().validationLoss).toBeLessThan(0.8 * Math.log(VOCAB));
  });

  it("train --precision bf16 is another run than the plan's fp32, and learns as much", async () => {
    const { status, stderr, stdout } = await espalier("train", "--plan", at("plan.json"), "--data", at("data"), "--out", at("bf16"), "--precision", "bf16", "--json");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const { digest, validationLoss } = jsonLines(stdout).find(({ kind }) => kind === "done")!.value as unknown as ReturnType<typeof result>;
    expect(digest).not.toBe(result().digest);
    expect(validationLoss).toBeCloseTo(result().validationLoss, 1);
  });

  it.skipIf(cudaStatus().available)("train --device cuda refuses a machine without a GPU (skipped with one), saying what was looked for", async () => {
    const { status, stderr, stdout } = await espalier("train", "--plan", at("plan.json"), "--data", at("data"), "--out", at("gpu"), "--device", "cuda");
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toMatch(/cudaExecutor: (no CUDA kernels installed\. Tried: .*Install @espalier\/kernels-cuda|.*no CUDA device.*Run `espalier doctor`), or use the CPU executor\./);
    expect(existsSync(at("gpu"))).toBe(false);
  });

  it("train on a finished run gives its result again at once, in words without --json", async () => {
    const again = await espalier("train", "--plan", at("plan.json"), "--data", at("data"), "--out", at("run"));
    expect(again).toMatchObject({ status: 0, stderr: "" });
    expect(again.stdout).toContain(`Checkpoint: ${result().checkpoint}`);
  });

  it("stopped by Ctrl-C it prints the command that resumes; resumed, on other threads, it ends with the same digest", async () => {
    writeFileSync(at("long.json"), JSON.stringify(tinyPlan(VOCAB, 600)));
    const command = (out: string, threads: string) => ["train", "--plan", at("long.json"), "--data", at("data"), "--out", at(out), "--threads", threads, "--json"];
    const { child, done } = start(command("stopped", "1"));
    for (let seen = ""; !seen.includes('"kind":"metric"'); ) seen += String((await once(child.stdout!, "data"))[0]);
    child.kill("SIGINT");
    const stopped = await done;
    expect(stopped.status).toBe(1);
    expect(stopped.stderr).toBe(`\nStopped. Resume with:\n  espalier ${command("stopped", "1").join(" ")}\n`);
    const digest = (stdout: string) => (jsonLines(stdout).find(({ kind }) => kind === "done")!.value as unknown as { digest: string }).digest;
    const [resumed, undisturbed] = await Promise.all([espalier(...command("stopped", "2")), espalier(...command("undisturbed", "1"))]);
    expect(digest(resumed.stdout)).toBe(digest(undisturbed.stdout));
  });

  it("eval prints accuracy, interval and chance of each task", async () => {
    const { status, stdout, stderr } = await espalier("eval", result().checkpoint, "--data", at("data"), "--tasks", "counting", "--items", "4");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toMatch(/^task +scoring +right +95 % +chance +items +shows\ncounting +exact match +\d+\.\d % +\d+\.\d to \d+\.\d +0\.0 % +4 /m);
  });

  it("a run is its newest checkpoint, and brings its tokeniser", async () => {
    const { status, stdout, stderr } = await espalier("eval", at("run"), "--tasks", "counting", "--items", "4", "--json");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const named = await espalier("eval", result().checkpoint, "--data", at("data"), "--tasks", "counting", "--items", "4", "--json");
    const results = (lines: string) => jsonLines(lines).filter(({ kind }) => kind !== "progress");
    expect(results(stdout)).toEqual(results(named.stdout));
  });

  it("refuses to read a checkpoint with another tokeniser, naming both", async () => {
    const other = await espalier("tokenize", at("text.jsonl.gz"), "--out", at("other"), "--vocab", String(VOCAB - 20), "--validation", "0.05");
    expect(other).toMatchObject({ status: 0, stderr: "" });
    const { status, stdout, stderr } = await espalier("generate", at("run"), "Ada", "--data", at("other"));
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    const missing = await espalier("eval", at("run"), "--data", at("nothing"));
    expect(missing).toMatchObject({ status: 1, stdout: "" });
    expect(sentence(missing.stderr)).toMatch(/^error reading [^\n]*nothing\/tokenizer\.json: it does not exist/);
    expect(sentence(stderr)).toMatch(/^error [^\n]*step-\d+: tokenizer [^\n]* has digest [0-9a-f]{12}, expected [0-9a-f]{12}, which it was trained with\. Use that tokenizer\.$/);
  });

  it("generate continues a prompt: the same for the same seed, another for another, several at once as one by one", async () => {
    const answers = async (...args: string[]) => {
      const { status, stdout, stderr } = await espalier("generate", at("run"), "Ada waters", "--max-tokens", "12", "--json", ...args);
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
      return jsonLines(stdout).map(({ kind, value }) => (expect(kind).toBe("answer"), value as unknown as { text: string; numTokens: number; finish: string }));
    };
    const [three, third, greedy, warmGreedy] = await Promise.all([
      answers("--count", "3", "--temperature", "1"),
      answers("--seed", "2", "--temperature", "1"),
      answers("--temperature", "0"),
      answers("--temperature", "0", "--seed", "5"),
    ]);
    expect(three).toHaveLength(3);
    expect(new Set(three.map(({ text }) => text)).size).toBeGreaterThan(1);
    expect(third).toEqual([three[2]]);
    expect(greedy).toEqual(warmGreedy);
    expect(greedy[0]).toMatchObject({ numTokens: 12, finish: "length" });
    const stop = greedy[0]!.text.trim().split(/\s+/)[1]!;
    const [stopped] = await answers("--temperature", "0", "--stop", stop);
    expect(stopped).toMatchObject({ text: greedy[0]!.text.slice(0, greedy[0]!.text.indexOf(stop)), finish: "stop" });
    const { stdout } = await espalier("generate", at("run"), "Ada waters", "--max-tokens", "12", "--temperature", "0");
    expect(stdout).toMatch(/^Ada waters[^]*\n12 tokens, \d+ tokens\/s; ended by --max-tokens\n$/);
    expect(stdout.startsWith(`Ada waters${greedy[0]!.text}\n`)).toBe(true);
  });

  it("generate says what a long prompt lost, and refuses an answer that the model cannot hold", async () => {
    const [long, tooMany, none] = await Promise.all([
      espalier("generate", at("run"), "Ada waters trees daily. ".repeat(40), "--max-tokens", "4"),
      espalier("generate", at("run"), "Ada", "--max-tokens", "32"),
      espalier("generate", at("data"), "Ada"),
    ]);
    expect(long).toMatchObject({ status: 0, stderr: "" });
    expect(long.stdout).toMatch(/\nThe prompt lost its first \d+ tokens: 32 hold it and the answer\.\n/);
    expect(tooMany.status).toBe(1);
    expect(sentence(tooMany.stderr)).toMatch(/^error --max-tokens: is 32, expected at most 31: [^\n]* holds 32 tokens\. Ask for fewer\.$/);
    expect(none.status).toBe(1);
    expect(sentence(none.stderr)).toMatch(/^error [^\n]*: holds no checkpoints, no state\.json and no config\.json, expected a run, [^\n]*\. Check the path\.$/);
  });

  it("serve answers on loopback and ends with Ctrl-C", async () => {
    const { child, done } = start(["serve", at("nothing-yet"), "--checkpoint", result().checkpoint, "--data", at("data"), "--port", "0", "--json"]);
    const line = jsonLines(String((await once(child.stdout!, "data"))[0]))[0]! as unknown as { value: { url: string } };
    const { url } = line.value;
    expect(url).toMatch(/^http:\/\/(127\.0\.0\.1|localhost|\[::1\]):\d+$/);
    const answer = await fetch(`${url}/v1/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ prompt: "Ada waters", max_tokens: 4, temperature: 0 }),
    });
    expect(answer.status).toBe(200);
    expect((await answer.json()) as object).toMatchObject({ choices: [{ text: expect.any(String) as string }] });
    child.kill("SIGINT");
    await done;
  });

  it("refuses a second process on the run directory at once", async () => {
    const args = ["train", "--plan", at("long.json"), "--data", at("data"), "--out", at("locked"), "--json"];
    const { child, done } = start(args);
    for (let seen = ""; !seen.includes('"kind":"metric"'); ) seen += String((await once(child.stdout!, "data"))[0]);
    const second = await espalier(...args);
    expect(second.status).toBe(1);
    expect(sentence(second.stderr)).toBe(`error ${at("locked")}: another process is working in this directory. Wait for it, or choose another.`);
    child.kill("SIGINT");
    await done;
  });

  it("refuses a truncated shard, naming it", async () => {
    mkdirSync(at("cut"));
    for (const name of readdirSync(at("data"))) copyFileSync(at("data", name), at("cut", name));
    truncateSync(at("cut", "train.bin"), 1000);
    const { status, stderr } = await espalier("train", "--plan", at("plan.json"), "--data", at("cut"), "--out", at("none"));
    expect(status).toBe(1);
    expect(sentence(stderr)).toMatch(/^error .*train\.bin: .*expected .*\.[^\n]*$/);
    expect(existsSync(at("none", "checkpoints"))).toBe(false);
  });

  it.each([
    ["cut short", (file: string) => truncateSync(file, 100)],
    ["overwritten", (file: string) => writeFileSync(file, "not safetensors")],
  ])("refuses a checkpoint that is %s, naming the file", async (name, damage) => {
    const copy = at(name.replace(" ", "-"));
    mkdirSync(copy);
    for (const file of readdirSync(result().checkpoint)) copyFileSync(join(result().checkpoint, file), join(copy, file));
    damage(join(copy, "model.safetensors"));
    const { status, stderr } = await espalier("eval", copy, "--data", at("data"), "--tasks", "counting", "--items", "2");
    expect(status).toBe(1);
    expect(sentence(stderr)).toMatch(/^error [^\n]*model\.safetensors[^\n]*$/);
  });

  it("refuses a growth target smaller than its source", async () => {
    const plan = tinyPlan(VOCAB, 40);
    const stages = [plan.stages[0], { ...plan.stages[1]!, model: tinyModel(VOCAB, { residualDim: 8, ffnDim: 32, numKvHeads: 2, headDim: 4 }) }];
    writeFileSync(at("smaller.json"), JSON.stringify({ ...plan, stages }));
    const { status, stderr } = await espalier("train", "--plan", at("smaller.json"), "--data", at("data"), "--out", at("none"));
    expect(status).toBe(1);
    expect(sentence(stderr)).toMatch(/^error [^\n]*smaller\.json: stages\.1\.model\.residualDim: found 8, expected at least 16 [^\n]*choose a larger target\.$/);
  });

  it.each([
    ["not JSON", "{", /^error .*bad\.json: not JSON .*Correct the file\.$/],
    ["without stages", JSON.stringify({ ...tinyPlan(VOCAB, 40), stages: [] }), /^error [^\n]*bad\.json: stages: found \[\], expected at least 1 entry\. Correct this field\.$/],
    ["of another vocabulary", JSON.stringify(tinyPlan(200, 40)), /^error [^\n]*200/],
  ])("refuses a plan that is %s", async (_, text, message) => {
    writeFileSync(at("bad.json"), text);
    const { status, stderr } = await espalier("train", "--plan", at("bad.json"), "--data", at("data"), "--out", at("none"));
    expect(status).toBe(1);
    expect(sentence(stderr)).toMatch(message);
  });
});

describe("bad corpora", () => {
  it("ends with 1 and one sentence for a missing, an empty and an unreadable corpus", async () => {
    mkdirSync(at("empty"));
    writeFileSync(at("blank.txt"), " \n\n ");
    mkdirSync(at("socket.jsonl"));
    writeFileSync(at("broken.jsonl.gz"), "this is no gzip");
    const tokenize = (name: string) => espalier("tokenize", at(name), "--out", at(`refused ${name}`)); // a directory has one process at a time
    const cases = { "absent.jsonl": /does not exist/, empty: /holds no file to read/, "blank.txt": /no text in/, "broken.jsonl.gz": /broken\.jsonl\.gz/ };
    const ran = await Promise.all(Object.keys(cases).map(tokenize));
    for (const [i, message] of Object.values(cases).entries()) {
      expect(ran[i]!.status).toBe(1);
      expect(sentence(ran[i]!.stderr)).toMatch(/^error [^\n]+$/);
      expect(ran[i]!.stderr).toMatch(message);
    }
    for (const name of Object.keys(cases)) expect(existsSync(at(`refused ${name}`, "manifest.json"))).toBe(false);
  });

  it("reproduce refuses a plan made for another corpus, and an output path that is a file", async () => {
    writeFileSync(at("a-file"), "");
    const [noPlan, file] = await Promise.all([espalier("reproduce", "--plan", at("absent.json"), "--out", at("r")), espalier("reproduce", "--scale", "smoke", "--out", at("a-file"))]);
    expect(noPlan).toMatchObject({ status: 1, stderr: expect.stringMatching(/^error reading .*absent\.json: it does not exist\. Check the path\.\n$/) as string });
    expect(file).toMatchObject({ status: 1, stderr: expect.stringMatching(/^error locking .*a-file: /) as string });
  });
});
