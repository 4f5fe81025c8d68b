import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { ConfigError } from "@espalier/core";
import type { Threads } from "./threads.ts";
import type { StageOptions, Treated } from "./treat.ts";

/** Batches with a worker or waiting at it: enough that none waits for the reader or the writer, few enough to bound memory. */
export const WAITING = 4;

type Answer = { treated: Treated } | { failed: { message: string } };

/** A worker thread and what it was given. */
interface Member {
  worker: Worker;
  /** Promises of batches that it has, first in, first out. */
  waiting: PromiseWithResolvers<Treated>[];
  /** Why it ended. */
  ended?: Error;
}

/** Workers that do everything that `createTreat` does. */
export function workerThreads(stage: StageOptions, numWorkers: number): Threads {
  const members = Array.from({ length: numWorkers }, () => startMember(stage));
  const end = async () => void (await Promise.all(members.map(({ worker }) => worker.terminate())));
  return {
    async *treatInOrder(batches) {
      const inOrder: Promise<Treated>[] = [];
      try {
        for await (const batch of batches) {
          const member = members.reduce((a, b) => (b.waiting.length < a.waiting.length ? b : a));
          if (member.ended) throw member.ended;
          const result = Promise.withResolvers<Treated>();
          result.promise.catch(() => {}); // seen when its turn comes
          member.waiting.push(result);
          inOrder.push(result.promise);
          member.worker.postMessage(batch, [batch.bytes.buffer]);
          while (inOrder.length >= numWorkers * WAITING) yield await inOrder.shift()!;
        }
        while (inOrder.length > 0) yield await inOrder.shift()!;
      } finally {
        await end();
      }
    },
    end,
  };
}

function startMember(stage: StageOptions): Member {
  const worker = new Worker(pathToFileURL(createRequire(import.meta.url).resolve("#tokenize-worker")), { workerData: stage });
  const member: Member = { worker, waiting: [] };
  const failAll = (error: Error) => {
    member.ended ??= error;
    for (const { reject } of member.waiting.splice(0)) reject(error);
  };
  worker.on("message", (answer: Answer) => {
    const { resolve, reject } = member.waiting.shift()!;
    if ("treated" in answer) resolve(answer.treated);
    else reject(new ConfigError(answer.failed.message));
  });
  worker.on("error", failAll);
  worker.on("exit", () => failAll(new Error("tokenize: a worker ended early")));
  return member;
}
