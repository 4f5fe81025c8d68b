/** All knowledge tests with their files, readers and licences; the command line lists and loads them from here. */

import { ConfigError } from "@espalier/core";
import { arc } from "./arc/task.ts";
import { babi, readBabiDocs } from "./babi/task.ts";
import { bbhDescriptions } from "./bbh/descriptions.ts";
import { bbh, readBbh } from "./bbh/task.ts";
import { boolQ, readBoolQDocs } from "./boolQ/task.ts";
import { chid, chidSet } from "./clue/chid.ts";
import { cmrc, readCmrc } from "./clue/cmrc.ts";
import { iflytekSet } from "./clue/iflytek.ts";
import { afqmc, c3, clueWsc, cmnli, csl, ocnli, readC3, readClue, tnews } from "./clue/task.ts";
import { openBookQa, piqa, sciq } from "./commonsense/task.ts";
import { copa, readCopa } from "./copa/task.ts";
import { gsm8k } from "./gsm8k/task.ts";
import { hellaswag } from "./hellaswag/task.ts";
import { lambada, readLambada } from "./lambada/task.ts";
import { mmluSets } from "./mmlu/task.ts";
import { readJsonLines } from "./readers.ts";
import { multirc } from "./superGlue/multirc.ts";
import { readCb, readMultirc, readRecord, readRte, readWic, readWsc } from "./superGlue/readers.ts";
import { record } from "./superGlue/record.ts";
import { cb, rte, wic, wsc } from "./superGlue/task.ts";
import type { Doc, Harness, KnowledgeSet, KnowledgeTask } from "./task.ts";
import { readTruthfulQa, truthfulQaMc, truthfulQaMc1, truthfulQaMc2 } from "./truthfulQa/task.ts";
import { wikitext } from "./wikitext/task.ts";
import { winogrande, wsc273 } from "./winograd/task.ts";
import { xcopa, xcopaLanguages } from "./xcopa/task.ts";

/** One file of a data directory. The digest is that of the file this project was checked with; a user's may differ. */
export interface DataFile {
  /** Below the data directory. */
  readonly path: string;
  readonly sha256?: string;
}

export interface KnowledgeEntry {
  readonly name: string;
  readonly title: string;
  readonly licence: string;
  readonly docs: DataFile;
  readonly fewshot?: DataFile;
  /** Further files that the task needs, such as answers kept apart from questions. */
  readonly beside?: readonly DataFile[];
  /** Shots of the published form; `espalier eval` takes them unless told otherwise. */
  readonly shots: number;
  /** Task and documents from the texts of the files, those of `beside` in its order; several sets where a file holds several tasks. */
  sets(docs: string, fewshot: string | undefined, harness: Harness, beside?: readonly string[]): KnowledgeSet[];
}

type Read = (text: string) => Doc[];

const one = (entry: Omit<KnowledgeEntry, "sets" | "shots"> & { shots?: number }, read: Read, task: (harness: Harness) => KnowledgeTask): KnowledgeEntry => ({
  shots: 0,
  ...entry,
  sets: (docs, fewshot, harness) => [{ task: task(harness), docs: read(docs), ...(fewshot !== undefined && { fewshotDocs: read(fewshot) }) }],
});

const file = (path: string, sha256?: string): DataFile => ({ path, ...(sha256 !== undefined && { sha256 }) });
/** A set whose licence keeps it from being passed on: the user puts it there. */
const user = (name: string): { docs: DataFile; fewshot?: DataFile } => ({ docs: file(`${name}/validation.jsonl`) });

/** Files this project was checked with; the other languages are checked against a user's manifest alone. */
const xcopaDigests: Readonly<Record<string, { test: string; val: string }>> = {
  zh: { test: "c9b42590399214b9f066adacac2465d7286f5e590181fe6bfd7f6139531b83d4", val: "8f638466c196342104bdbe9276e7d91fe0abcc044e9a9ad715f30c8ad618bcdd" },
};

export const knowledgeTable: readonly KnowledgeEntry[] = [
  one(
    {
      name: "arc_challenge",
      title: "ARC-Challenge",
      licence: "CC BY-SA 4.0, with a conflicting notice",
      docs: file("arc/arc_challenge_test.jsonl", "e69beca831af833b64a1aab36742d227785197ed889136b4d5d5fa55f6f44d54"),
      fewshot: file("arc/arc_challenge_train.jsonl", "552a3538c3849c3d57f58ce4d20372d3e98c24b06060e7787335c85d92fe0615"),
      shots: 25,
    },
    readJsonLines,
    (harness) => arc("challenge", harness),
  ),
  one(
    { name: "arc_easy", title: "ARC-Easy", licence: "CC BY-SA 4.0, with a conflicting notice", docs: file("arc/arc_easy_test.jsonl", "0ef0e6d36d4f6158078c00e69e05a1fd2b07947a595a9aeec2f0ba5a651af1d2") },
    readJsonLines,
    (harness) => arc("easy", harness),
  ),
  one({ name: "hellaswag", title: "HellaSwag", licence: "MIT", docs: file("hellaswag/hellaswag_val_1000.jsonl", "79b87117cffba9878961284f233797c5ebeba4193cb48a93eabc4a5a1156cc45"), shots: 10 }, readJsonLines, hellaswag),
  {
    name: "mmlu",
    title: "MMLU",
    licence: "MIT",
    docs: file("mmlu/mmlu_test_17subjects.jsonl", "25a66b42639f7796f6b3d91e33003447d9b876db248ab0535fd2ad9f377f6bcc"),
    fewshot: file("mmlu/mmlu_dev.jsonl", "071a8344f0bfe8e13a2a056fd45825c8ab8ff40ff793c8396f51cbde9ea911c5"),
    shots: 5,
    sets: (docs, fewshot, harness) => mmluSets(readJsonLines(docs), readJsonLines(fewshot ?? docs), harness),
  },
  {
    name: "truthfulqa",
    title: "TruthfulQA, multiple choice",
    licence: "Apache-2.0",
    docs: file("truthfulqa/mc_task.json", "131e6f4156297bee09b38279e2fa847e4359c200504eca99ea3fab4b2d3a6144"),
    shots: 0,
    sets: (text, _, harness) => (harness === "v0.3" ? [truthfulQaMc] : [truthfulQaMc1, truthfulQaMc2]).map((task) => ({ task, docs: readTruthfulQa(text) })),
  },
  one({ name: "boolq", title: "BoolQ", licence: "CC BY-SA 3.0", docs: file("boolq/boolq_dev.jsonl", "ebc29ea3808c5c611672384b3de56e83349fe38fc1fe876fd29b674d81d0a80a") }, readBoolQDocs, boolQ),
  one({ name: "copa", title: "Balanced COPA", licence: "CC BY 4.0", docs: file("copa/balanced_copa_dev.jsonl", "9f377a3c6b46319ef9ab7aaca1a36fd83e6b323c7c816b31c44d33f56a164bd0") }, readCopa, copa),
  one({ name: "sglue_copa", title: "COPA of SuperGLUE", licence: "BSD 2-Clause", ...user("copa") }, readCopa, (harness) => ({ ...copa(harness), name: "sglue_copa" })),
  ...Object.entries(xcopaLanguages).map(([language, title]) =>
    one(
      { name: `xcopa_${language}`, title: `XCOPA, ${title}`, licence: "CC BY 4.0", docs: file(`xcopa_${language}/test.${language}.jsonl`, xcopaDigests[language]?.test), fewshot: file(`xcopa_${language}/val.${language}.jsonl`, xcopaDigests[language]?.val) },
      readJsonLines,
      () => xcopa(language),
    ),
  ),
  one({ name: "winogrande", title: "WinoGrande", licence: "CC BY", docs: file("winogrande/winogrande_dev.jsonl", "ea1592526f3bfdd0948ed3acb1b4dfa3f83d23698917118688ee1df7f8d4b8d7") }, readJsonLines, winogrande),
  one({ name: "wsc273", title: "Winograd schemas", licence: "CC BY 4.0", docs: file("wsc273/winograd_wsc.jsonl", "746336c27cd2e39a554cb1b8b4869d0f1ae2577ac5bfe799842d26bca5a5bf5e") }, readJsonLines, wsc273),
  one({ name: "lambada_openai", title: "LAMBADA", licence: "CC BY 4.0", docs: file("lambada/lambada_openai_test.jsonl", "411bfbe5b9054346b6a19299c0242670adbefb9162efd958593cbc0290b8c9dc") }, readLambada, lambada),
  one({ name: "gsm8k", title: "GSM8K", licence: "MIT", docs: file("gsm8k/gsm8k_test.jsonl", "3730d312f6e3440559ace48831e51066acaca737f6eabec99bccb9e4b3c39d14"), shots: 5 }, readJsonLines, gsm8k),
  ...[
    ["qa1_single-supporting-fact", "55acf66cef2f6d798e2aa1d056e1ec8f24e910ea9215b639450574321132959b", "c64ba9b1a49bbb111ffc4cd2ae4f129d25c012399dd7ade9679eea464b9afb05"],
    ["qa2_two-supporting-facts", "eff93fb9cd81ba02eb765772cf7cc269769ed44ec71cbbbc19cfb16ee5eba0f6", "a4978af5bc0dc30191810e7c9949aaa6eae939ed0f6beb9fcb5f4330c2a27860"],
  ].map(([name, test, train]) =>
    one({ name: `babi_${name.slice(0, 3)}`, title: `bAbI ${name}`, licence: "CC BY 3.0", docs: file(`babi/${name}_test.txt`, test), fewshot: file(`babi/${name}_train.txt`, train) }, readBabiDocs, () => ({
      ...babi,
      name: `babi_${name.slice(0, 3)}`,
    })),
  ),
  ...Object.keys(bbhDescriptions).map((subtask) => one({ name: `bbh_${subtask}`, title: `BIG-Bench Hard: ${subtask.replaceAll("_", " ")}`, licence: "MIT", docs: file(`bbh/${subtask}.json`) }, readBbh, () => bbh(subtask))),
  one({ name: "piqa", title: "PIQA", licence: "unknown", ...user("piqa") }, readJsonLines, piqa),
  one({ name: "openbookqa", title: "OpenBookQA", licence: "unknown", docs: file("openbookqa/test.jsonl") }, readJsonLines, openBookQa),
  one({ name: "sciq", title: "SciQ", licence: "CC BY-NC 3.0", docs: file("sciq/test.jsonl") }, readJsonLines, sciq),
  one({ name: "wikitext", title: "WikiText-2, pages", licence: "CC BY-SA 3.0 and 4.0", docs: file("wikitext/test.jsonl") }, readJsonLines, () => wikitext),
  one({ name: "cb", title: "CommitmentBank", licence: "unknown", ...user("cb") }, readCb, cb),
  one({ name: "multirc", title: "MultiRC", licence: "unknown", ...user("multirc") }, readMultirc, () => multirc),
  one({ name: "record", title: "ReCoRD", licence: "unknown", ...user("record") }, readRecord, () => record),
  one({ name: "rte", title: "RTE", licence: "unknown", ...user("rte") }, readRte, rte),
  one({ name: "wic", title: "WiC", licence: "CC BY-NC 4.0, unverified", ...user("wic") }, readWic, wic),
  one({ name: "wsc", title: "WSC of SuperGLUE", licence: "unknown", ...user("wsc") }, readWsc, wsc),
  ...([["afqmc", "AFQMC", afqmc], ["ocnli", "OCNLI", ocnli], ["cmnli", "CMNLI", cmnli], ["wsc", "CLUEWSC2020", clueWsc], ["csl", "CSL", csl], ["tnews", "TNEWS", tnews]] as const).map(([folder, title, task]) =>
    one({ name: task.name, title, licence: "none stated", docs: file(`clue/${folder}/dev.json`), fewshot: file(`clue/${folder}/train.json`) }, readClue, () => task),
  ),
  one({ name: c3.name, title: "C3", licence: "none stated", docs: file("clue/c3/d-dev.json"), fewshot: file("clue/c3/d-train.json") }, readC3, () => c3),
  {
    name: "clue_iflytek",
    title: "IFLYTEK",
    licence: "none stated",
    docs: file("clue/iflytek/dev.json"),
    fewshot: file("clue/iflytek/train.json"),
    shots: 0,
    sets: (docs, fewshot) => [iflytekSet(docs, fewshot)],
  },
  {
    name: chid.name,
    title: "ChID",
    licence: "none stated",
    docs: file("clue/chid/dev.json"),
    fewshot: file("clue/chid/train.json"),
    beside: [file("clue/chid/dev_answer.json"), file("clue/chid/train_answer.json")],
    shots: 0,
    sets: (docs, fewshot, _, [answers = "{}", fewshotAnswers] = []) => [chidSet(docs, answers, fewshot, fewshotAnswers)],
  },
  one({ name: cmrc.name, title: "CMRC 2018", licence: "CC BY-SA 4.0", docs: file("clue/cmrc2018/dev.json"), fewshot: file("clue/cmrc2018/train.json") }, readCmrc, () => cmrc),
];

const namesWith = (prefix: string): string[] => knowledgeTable.map(({ name }) => name).filter((name) => name.startsWith(prefix));

/** Names that stand for several entries. */
export const knowledgeBundles: Readonly<Record<string, readonly string[]>> = {
  leaderboard: ["arc_challenge", "hellaswag", "mmlu", "truthfulqa"],
  bbh: namesWith("bbh_"),
  clue: namesWith("clue_"),
  superglue: ["boolq", "cb", "sglue_copa", "multirc", "record", "rte", "wic", "wsc"],
  xcopa: namesWith("xcopa_"),
};

/** Entries by name or bundle. @throws {ConfigError} naming the unknown one and all known */
export function knowledgeNamed(names: readonly string[]): KnowledgeEntry[] {
  return names.flatMap((name) => (Object.hasOwn(knowledgeBundles, name) ? knowledgeBundles[name]! : [name])).map((name) => {
    const entry = knowledgeTable.find((known) => known.name === name);
    if (entry === undefined) throw new ConfigError(`knowledgeNamed: "${name}" is no task, expected one of ${[...Object.keys(knowledgeBundles), ...knowledgeTable.map((known) => known.name)].join(", ")}. Choose one of them.`);
    return entry;
  });
}
