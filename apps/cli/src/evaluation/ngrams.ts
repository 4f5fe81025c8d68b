import { existsSync } from "node:fs";
import { join } from "node:path";
import { ConfigError } from "@espalier/core";
import { atomicWrite } from "@espalier/core/node";
import { itemCount, itemSet, type Level } from "@espalier/evals";
import { loadKnowledge } from "@espalier/evals/node";
import { ngramsOf, writeNgrams } from "@espalier/tokenizer";
import type { Context } from "../command.ts";
import type { Selection } from "./select.ts";
import { expectSets, filesOf, loadTaskFiles } from "./taskFiles.ts";

/**
 * Writes the n-grams of evaluation texts, for `espalier tokenize --ngrams`. Knowledge tests that a group or a pattern names are
 * left out where their files are not there, and said.
 *
 * @param levels of generated items, the paper's number of each
 * @param asked words of `--tasks`: a test that is among them must be there
 */
export async function writeEvaluationNgrams(
  path: string,
  selection: Selection,
  { sets, n, seed, levels, asked }: { sets?: string; n: number; seed: string; levels: readonly Level[]; asked: readonly string[] },
  { output }: Pick<Context, "output">,
): Promise<void> {
  expectSets("ngrams", selection, sets);
  const sources: string[] = [];
  const texts: string[] = [];
  for (const task of selection.iq) {
    for (const difficulty of levels) {
      const items = itemSet(task, { difficulty, seed, items: itemCount(task, "paper") });
      sources.push(`${task.id}@${task.version} ${difficulty}, seed ${seed}`);
      texts.push(...items.map(({ prompt, target }) => `${prompt} ${target}`));
    }
  }
  const present = selection.knowledge.filter((entry) => asked.includes(entry.name) || filesOf(entry).every(({ path: file }) => existsSync(join(sets, file))));
  const absent = selection.knowledge.filter((entry) => !present.includes(entry)).map(({ name }) => name);
  const knowledge = [
    ...(await Promise.all(present.map((entry) => loadKnowledge(sets, entry)))).flat(),
    ...(await loadTaskFiles(selection, sets, {})).flatMap((file) => file.sets),
  ];
  for (const { task, docs } of knowledge) {
    sources.push(`${task.name}@${task.version}`);
    const query = task.decontaminationQuery ?? ((doc) => String(task.text(doc)));
    texts.push(...docs.map(query));
  }
  if (sources.length === 0) throw new ConfigError(`eval ngrams: found the files of no set in ${sets}, expected those of ${absent.join(", ")}. \`espalier eval list\` shows them.`);
  let short = 0;
  const ngrams = ngramsOf(texts, { n, sources, onShort: () => short++ });
  await atomicWrite(path, writeNgrams(ngrams));
  output.line(
    `${path}: ${(ngrams.hashes.length / 2).toLocaleString("en")} n-grams of ${n} words from ${texts.length.toLocaleString("en")} texts of ${sources.length} sets${short > 0 ? `; ${short.toLocaleString("en")} texts are shorter and have none` : ""}.`,
  );
  if (absent.length > 0) output.line(`Left out, because their files are not in ${sets}: ${absent.join(", ")}.`);
  output.result("ngrams", { path, n, count: ngrams.hashes.length / 2, texts: texts.length, shorter: short, sources, absent });
}
