import { atomicWrite } from "@espalier/core/node";
import { itemCount, itemSet } from "@espalier/evals";
import { loadKnowledge } from "@espalier/evals/node";
import { ngramsOf, writeNgrams } from "@espalier/tokenizer";
import type { Context } from "../command.ts";
import type { Selection } from "./select.ts";
import { expectSets, loadTaskFiles } from "./taskFiles.ts";

/** Writes the n-grams of evaluation texts, for `espalier tokenize --ngrams`. */
export async function writeEvaluationNgrams(
  path: string,
  selection: Selection,
  { sets, n, seed }: { sets?: string; n: number; seed: string },
  { output }: Pick<Context, "output">,
): Promise<void> {
  expectSets("ngrams", selection, sets);
  const sources: string[] = [];
  const texts: string[] = [];
  for (const task of selection.iq) {
    const items = itemSet(task, { difficulty: "paper", seed, items: itemCount(task, "paper") });
    sources.push(`${task.id}@${task.version} paper, seed ${seed}`);
    texts.push(...items.map(({ prompt, target }) => `${prompt} ${target}`));
  }
  const knowledge = [
    ...(await Promise.all(selection.knowledge.map((entry) => loadKnowledge(sets, entry)))).flat(),
    ...(await loadTaskFiles(selection, sets, {})).flatMap((file) => file.sets),
  ];
  for (const { task, docs } of knowledge) {
    sources.push(`${task.name}@${task.version}`);
    const query = task.decontaminationQuery ?? ((doc) => String(task.text(doc)));
    texts.push(...docs.map(query));
  }
  const ngrams = ngramsOf(texts, { n, sources });
  await atomicWrite(path, writeNgrams(ngrams));
  const short = texts.filter((text) => text.split(/\s+/).length < n).length;
  output.line(
    `${path}: ${(ngrams.hashes.length / 2).toLocaleString("en")} n-grams of ${n} words from ${texts.length.toLocaleString("en")} texts of ${sources.length} sets${short > 0 ? `; ${short.toLocaleString("en")} texts are shorter and have none` : ""}.`,
  );
  output.result("ngrams", { path, n, count: ngrams.hashes.length / 2, texts: texts.length, shorter: short, sources });
}
