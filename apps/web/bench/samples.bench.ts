/**
 * The viewer of samples in Chromium on a log made for it: time to the first row, to the index, of filters and of searches.
 * Usage: node --conditions=@espalier/source bench/samples.bench.ts [--megabytes 622] [--pictures DIR]
 */

import { createWriteStream, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { once } from "node:events";
import { parseArgs } from "node:util";
import { random } from "@espalier/core";
import { buildPage, openPage } from "../src/testing/page.ts";

const { values } = parseArgs({ options: { megabytes: { type: "string", default: "622" }, pictures: { type: "string" } } });
const wantedBytes = 1e6 * Number(values.megabytes);

/** Prompts of made-up words of many frequencies, 1.9 kB a line; two models see the same prompts. */
async function writeLog(path: string, seed: number): Promise<number> {
  const draw = random(1, "words").sequence();
  const answers = random(seed, "answers").sequence();
  const letter = (of: string) => of[Math.floor(of.length * draw.uniform())]!;
  const vocabulary = Array.from({ length: 4000 }, () => Array.from({ length: 3 }, () => letter("bdfgklmnprst") + letter("aeiou")).join(""));
  const passages = Array.from({ length: 2000 }, () => Array.from({ length: 225 }, () => vocabulary[Math.floor(4000 * draw.uniform() ** 3)]!).join(" "));
  const file = createWriteStream(path);
  let written = 0;
  let i = 0;
  for (; written < wantedBytes; i++) {
    const words = `${passages[i % passages.length]!}${i % 1000 === 999 ? " wherewithal" : ""}`;
    const right = answers.uniform() < 0.6;
    const line = `${JSON.stringify({ key: `words@1/large/${i}`, task: `words${i % 4}`, prompt: `Read: ${words}.\nQuestion ${i}: which word came last?\nAnswer:`, target: "the last", choices: ["the last", "the first"], generated: right ? "the last" : "the first", logprobs: right ? [-1, -2] : [-2, -1], correct: { "exact match": right, likelihood: right } })}\n`;
    written += line.length;
    if (!file.write(line)) await once(file, "drain");
  }
  file.end();
  await once(file, "finish");
  return i;
}

const directory = await buildPage("vite.config.ts", "samples");
const logs = mkdtempSync(join(tmpdir(), "espalier-samples-"));
try {
  const [a, b] = [join(logs, "a.jsonl"), join(logs, "b.jsonl")];
  const samples = await writeLog(a, 1);
  await writeLog(b, 2);
  console.log(`two logs of ${samples.toLocaleString("en")} samples, ${(statSync(a).size / 1e6).toFixed(0)} MB each`);
  const { tab, close } = await openPage(join(directory, "samples.html"), 'input[data-side="a"]', [1280, 860]);
  const until = async (what: string, begin: () => Promise<unknown>, isDone: (text: string) => boolean, firstRow = false): Promise<void> => {
    const start = performance.now();
    await begin();
    let first: number | undefined;
    for (;;) {
      const [text, rows] = await tab.evaluate(() => [document.querySelector("output")?.textContent ?? "", document.querySelectorAll(".row").length] as const);
      if (rows > 0 && !/^0 of/.test(text) && /of/.test(text)) first ??= performance.now() - start;
      if (isDone(text)) {
        console.log(`${what}: ${((performance.now() - start) / 1000).toFixed(2)} s${firstRow && first !== undefined ? `, first rows after ${(first / 1000).toFixed(2)} s` : ""} (${text})`);
        return;
      }
      await tab.waitForTimeout(10);
    }
  };
  const all = samples.toLocaleString("en");
  const isSettled = (text: string) => /^[\d,]+ of [\d,]+$/.test(text);
  const search = async (query: string, what: string) => {
    await until(`search for ${what}`, async () => {
      await tab.fill("input[type=search]", query);
      await tab.waitForFunction(() => /searching/.test(document.querySelector("output")?.textContent ?? ""));
    }, isSettled, true);
    if (values.pictures) await tab.screenshot({ path: join(values.pictures, `${what.replaceAll(" ", "-")}.png`) });
    await tab.fill("input[type=search]", "");
    await until("cleared", async () => {}, (text) => text === `${all} of ${all}`);
  };
  await until("index of A", () => tab.setInputFiles('input[data-side="a"]', a), (text) => text === `${all} of ${all}`, true);
  await until("filter to wrong answers", () => tab.click('button:has-text("A wrong")'), (text) => isSettled(text) && !text.startsWith(all));
  await tab.click(".segments button:first-child");
  const one = `question ${Math.floor(0.85 * samples)}:`;
  await search(one, "one sample");
  await search("nowhere at all", "what is nowhere");
  await search("Wherewithal", "a rare word");
  await search("question", "what all have");
  await search("the first", "what stands outside prompts");
  const start = performance.now();
  await tab.setInputFiles('input[data-side="b"]', b);
  await tab.waitForSelector("text=B wrong", { timeout: 60_000 });
  console.log(`index of B, paired: ${((performance.now() - start) / 1000).toFixed(2)} s`);
  await search(one, "one sample of two logs");
  await search("question", "what all have of two logs");
  await close();
} finally {
  rmSync(logs, { recursive: true });
  rmSync(directory, { recursive: true });
}
