/** Python functions of the harness's own task files that this project has in TypeScript, by folder and name. */

import { copa } from "../knowledge/copa/task.ts";
import { hellaswag, plainText } from "../knowledge/hellaswag/task.ts";
import { record } from "../knowledge/superGlue/record.ts";
import { wsc } from "../knowledge/superGlue/task.ts";
import { type Doc, type KnowledgeTask, textOf, textsOf } from "../knowledge/task.ts";
import { truthfulQaMc2 } from "../knowledge/truthfulQa/task.ts";
import { wikitext } from "../knowledge/wikitext/task.ts";
import { winogrande, wsc273 } from "../knowledge/winograd/task.ts";
import { xcopa, xcopaLanguages } from "../knowledge/xcopa/task.ts";
import { strip } from "../python/text.ts";

/** What stands in for a Python function of a document. */
export type DocFunction = (doc: Doc) => unknown;

const fieldsOf = (folder: string, module: string, { text, target, choices }: KnowledgeTask): Record<string, DocFunction> => ({
  [`${folder}/${module}.doc_to_text`]: text,
  [`${folder}/${module}.doc_to_target`]: target,
  [`${folder}/${module}.doc_to_choice`]: choices!,
});

/** `doc_to_text`, `doc_to_target`, `doc_to_choice`. */
export const docFunctions: Readonly<Record<string, DocFunction>> = {
  ...fieldsOf("copa", "utils", copa()),
  "copa/utils.doc_to_target": (doc) => copa().choices!(doc)[copa().target(doc) as number],
  ...fieldsOf("winogrande", "preprocess_winogrande", winogrande()),
  ...fieldsOf("record", "util", record),
  ...fieldsOf("xwinograd", "utils", winogrande()), // the same form in six languages
  "wsc/preprocess_wsc.default_doc_to_text": wsc().text,
  "mnli/utils.doc_to_text"(doc) {
    const hypothesis = strip(textOf(doc, "hypothesis"));
    return `${textOf(doc, "premise")}\nQuestion: ${hypothesis}${hypothesis.endsWith(".") ? "" : "."} True, False or Neither?\nAnswer:`;
  },
  "wikitext/preprocess_wikitext.wikitext_detokenizer": wikitext.target,
  "copal_id/utils.doc_to_text_id": xcopa("id").text,
  "copal_id/utils.doc_to_choice": xcopa("id").choices!,
  "xcopa/utils.doc_to_choice": xcopa("zh").choices!,
  ...Object.fromEntries(Object.keys(xcopaLanguages).map((language) => [`xcopa/utils.doc_to_text_${language}`, xcopa(language).text])),
};

/** `process_docs`, document by document. */
export const processFunctions: Readonly<Record<string, (doc: Doc) => Doc>> = {
  "hellaswag/utils.process_docs": (doc) => ({ ...doc, query: hellaswag().text(doc), choices: textsOf(doc, "endings").map(plainText), gold: Number(doc.label) }),
  "record/util.process_docs": (doc) => doc,
  // Options in place of the pronoun; what stands before it is the template's business.
  "wsc273/utils.process_doc"(doc) {
    const text = textOf(doc, "text").replaceAll("  ", " ");
    const before = [...text].slice(0, doc.pronoun_loc as number).join("");
    return { ...doc, text, options: wsc273().choices!(doc).map((context) => context.slice(before.length)) };
  },
};

/** `process_results`. */
export const scoreFunctions: Readonly<Record<string, NonNullable<KnowledgeTask["score"]>>> = {
  "truthfulqa/utils.process_results_mc2": truthfulQaMc2.score!,
  "record/util.process_results": record.score!,
  "wikitext/preprocess_wikitext.process_results": wikitext.score!,
};
