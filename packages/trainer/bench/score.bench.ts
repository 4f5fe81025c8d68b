/**
 * Requests a second of log-likelihood scoring, against a plain PyTorch loop with batching on the same weights and tokens.
 *
 *     node --conditions=@espalier/source bench/score.bench.ts [rounds = 3] [threads = 2] [part of a workload's name = all]
 *
 * A small Llama of random weights is written as a Hugging Face directory that both read. Ours is given texts and pays for
 * its tokenizer; the rival (score_rival.py, Debian python3-torch) is given token ids. The two run in turn; a row has the
 * median of the rounds, the rival at its better batch size of 8 and 32, with logits at every position (as
 * lm-evaluation-harness computes them) and, in its favour, at scored positions only. Answers must agree to 1e-3.
 */

import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { createInterface } from "node:readline";
import { writeHuggingFace } from "@espalier/checkpoint";
import { random } from "@espalier/core";
import { cpuExecutor } from "@espalier/kernels";
import { modelConfig } from "@espalier/spec/model";
import type { LoglikelihoodRequest } from "@espalier/spec/languageModel";
import { END_OF_TEXT, trainTokenizer, writeHuggingFaceTokenizer } from "@espalier/tokenizer";
import { loadHuggingFaceModel } from "../src/huggingFace.ts";
import { initialParameters } from "../src/initialise.ts";

const rounds = Number(process.argv[2] ?? 3);
const numThreads = Number(process.argv[3] ?? 2);
const wanted = process.argv[4] ?? "";

const stream = random(1, "score bench");
let drawn = 0;
const draw = (below: number) => stream.integer(drawn++, below);
const syllables = ["ba", "ko", "ri", "te", "mu", "sha", "lo", "ven", "ti", "gra", "del", "po", "ne", "sil", "tor", "ka"];
const lexicon = Array.from({ length: 3000 }, () => Array.from({ length: 1 + draw(3) }, () => syllables[draw(16)]!).join(""));
const words = (count: number) => Array.from({ length: count }, () => lexicon[Math.min(draw(3000), draw(3000))]!).join(" ");

const choices = (context: string) => Array.from({ length: 4 }, () => ({ context, continuation: ` ${words(4 + draw(8))}` }));
const examples = words(220);
const workloads: Record<string, LoglikelihoodRequest[]> = {
  "four choices": Array.from({ length: 20 }, () => choices(words(30 + draw(50)))).flat(),
  "four choices after five examples": Array.from({ length: 8 }, () => choices(`${examples}\n${words(20 + draw(30))}`)).flat(),
  "one choice, nothing in common": Array.from({ length: 64 }, () => ({ context: words(15 + draw(130)), continuation: ` ${words(4 + draw(8))}` })),
};

function pythonWithTorch(): string | undefined {
  return [process.env.ESPALIER_PYTHON, "/usr/bin/python3", "python3"].find((python) => {
    if (!python) return false;
    try {
      execFileSync(python, ["-c", "import torch"], { stdio: "pipe" });
      return true;
    } catch {
      return false;
    }
  });
}

/** A rival process that holds the model and the requests. */
async function startRival(python: string, directory: string, requests: string) {
  const child = spawn(python, [join(import.meta.dirname, "score_rival.py"), directory, requests, String(numThreads)], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const version = String((await lines.next()).value);
  return {
    version,
    run: async (batchSize: number, head: string) => {
      child.stdin.write(`run ${batchSize} ${head}\n`);
      return JSON.parse(String((await lines.next()).value)) as { seconds: number; answers: number[] };
    },
    close: () => child.stdin.end(),
  };
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;

const directory = mkdtempSync(join(tmpdir(), "espalier-score-"));
try {
  const tokenizer = trainTokenizer([new TextEncoder().encode(words(60_000))], { vocabSize: 8000 });
  const config = modelConfig({
    family: "llama",
    vocabSize: 8192,
    seqLen: 512,
    numLayers: 6,
    residualDim: 256,
    headDim: 32,
    numKvHeads: 8,
    tiedHead: false,
    initStd: 0.1,
  });
  const parameters = initialParameters(config, 1);
  const endOfText = tokenizer.specialId(END_OF_TEXT);
  await writeHuggingFace(directory, { config, read: async (name: string) => parameters[name]! }, { modelType: "llama", bosTokenId: endOfText, eosTokenId: endOfText });
  writeFileSync(join(directory, "tokenizer.json"), writeHuggingFaceTokenizer(tokenizer));
  const executor = cpuExecutor({ numThreads });
  const model = await loadHuggingFaceModel(directory, { executor, encoding: "separate" });
  const python = pythonWithTorch();
  if (!python) console.log("rival skipped: no Python with PyTorch (Debian: python3-torch).");

  console.log(`L6 d256 V8192 fp32, ${executor.instructionPath}, ${numThreads} thread(s), median of ${rounds}`);
  for (const [name, requests] of Object.entries(workloads).filter(([name]) => name.includes(wanted))) {
    const file = join(directory, "requests.json");
    writeFileSync(file, JSON.stringify(requests.map(({ context, continuation }) => [[...tokenizer.encode(context)], [...tokenizer.encode(continuation)]])));
    const rival = python ? await startRival(python, directory, file) : undefined;
    const settings = rival ? ["8 all", "32 all", "8 scored", "32 scored"] : [];
    const ours: number[] = [];
    const theirs = new Map(settings.map((setting) => [setting, [] as number[]]));
    for (let round = -1; round < rounds; round++) {
      const begin = performance.now();
      const answers = await model.loglikelihood(requests);
      if (round >= 0) ours.push((performance.now() - begin) / 1000);
      for (const setting of settings) {
        const [batchSize, head] = setting.split(" ") as [string, string];
        const found = await rival!.run(Number(batchSize), head);
        if (round >= 0) theirs.get(setting)!.push(found.seconds);
        found.answers.forEach((answer, i) => {
          if (!(Math.abs(answer - answers[i]!.logprob) < 1e-3 * Math.abs(answer))) throw new Error(`${name}: request ${i}: ${answers[i]!.logprob}, PyTorch ${answer}`);
        });
      }
    }
    const perSecond = (seconds: readonly number[]) => requests.length / median(seconds);
    const spread = `${(requests.length / Math.max(...ours)).toFixed(0)} to ${(requests.length / Math.min(...ours)).toFixed(0)}`;
    console.log(`${name}: ${perSecond(ours).toFixed(0)} requests/s (${spread})`);
    for (const head of ["all", "scored"]) {
      const best = settings.filter((setting) => setting.endsWith(` ${head}`)).map((setting) => perSecond(theirs.get(setting)!));
      if (best.length === 0) continue;
      console.log(`  PyTorch ${rival!.version.replace("ready ", "")}, logits at ${head} positions: ${Math.max(...best).toFixed(0)} requests/s; ours ${(perSecond(ours) / Math.max(...best)).toFixed(2)}x`);
    }
    rival?.close();
  }
  model.free();
} finally {
  rmSync(directory, { recursive: true });
}
