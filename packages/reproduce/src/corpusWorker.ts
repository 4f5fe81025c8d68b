import { parentPort, workerData } from "node:worker_threads";
import { EspalierError } from "@espalier/core";
import { sha256 } from "@espalier/core/node";
import { coreTasks, inContextDocuments } from "@espalier/evals";
import { prepareCorpus } from "@espalier/tokenizer/node";
import type { CorpusMessage, CorpusRequest } from "./corpus.ts";

const say = (message: CorpusMessage) => parentPort!.postMessage(message);
const { inputs, directory, vocabSize, procedural } = workerData as CorpusRequest;
const families = coreTasks.filter((task) => task.id !== procedural.leftOut);

try {
  const manifest = await prepareCorpus({
    inputs,
    directory,
    tokenizer: { vocabSize },
    progress: (event) => say({ kind: "progress", event }),
    extra: {
      name: "in-context tasks",
      digest: sha256(JSON.stringify([families.map(({ id, version }) => [id, version]), procedural])),
      documents: () => inContextDocuments({ families, seed: procedural.seed, count: procedural.documents }).map(({ text }) => text),
    },
  });
  say({ kind: "done", manifest });
} catch (error) {
  if (!(error instanceof EspalierError)) throw error;
  say({ kind: "error", code: error.code, name: error.name, message: error.message });
}
