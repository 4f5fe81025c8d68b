import type { LogIndex } from "./logIndex.ts";
import type { Answer, Request } from "./worker.ts";
import LogWorker from "./worker.ts?worker&inline";

export interface Job<T> {
  result: Promise<T>;
  stop(): void;
}

/** The worker behind promises. */
export class Reader {
  readonly #worker = new LogWorker();
  readonly #waiting = new Map<number, { onAnswer: (answer: Answer) => void }>();
  #next = 0;

  constructor() {
    this.#worker.addEventListener("message", ({ data }: MessageEvent<Answer>) => this.#waiting.get(data.id)?.onAnswer(data));
  }

  index(file: File, onProgress: (bytes: number, samples: number) => void, onSoFar: (index: LogIndex) => void): Job<LogIndex> {
    return this.#ask((id) => ({ id, kind: "index", file }), onProgress, (answer) => (answer.kind === "index" ? answer.index : undefined), onSoFar);
  }

  search(file: File, query: string, onProgress: (bytes: number) => void): Job<Uint32Array> {
    return this.#ask((id) => ({ id, kind: "search", file, query }), onProgress, (answer) => (answer.kind === "search" ? answer.found : undefined));
  }

  #ask<T>(request: (id: number) => Request, onProgress: (bytes: number, samples: number) => void, pick: (answer: Answer) => T | undefined, onSoFar?: (index: LogIndex) => void): Job<T> {
    const id = this.#next++;
    const result = new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, {
        onAnswer: (answer) => {
          if (answer.kind === "progress") return onProgress(answer.bytes, answer.samples);
          if (answer.kind === "soFar") return onSoFar?.(answer.index);
          this.#waiting.delete(id);
          if (answer.kind === "failed") return reject(new Error(answer.message));
          resolve(pick(answer)!);
        },
      });
    });
    this.#worker.postMessage(request(id));
    return {
      result,
      stop: () => {
        this.#waiting.delete(id);
        this.#worker.postMessage({ id, kind: "stop" } satisfies Request);
      },
    };
  }
}
