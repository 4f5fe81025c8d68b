import type { LogIndex } from "./logIndex.ts";
import type { Places } from "./searchLog.ts";
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
    return this.#ask((id) => ({ id, kind: "index", file }), (answer) => {
      if (answer.kind === "progress") onProgress(answer.bytes, answer.samples);
      else if (answer.kind === "soFar") onSoFar(answer.index);
      else if (answer.kind === "index") return answer.index;
    });
  }

  search(file: File, index: LogIndex, query: string, onFound: (samples: Uint32Array) => void, onProgress: (bytes: number) => void): Job<true> {
    const { length, offsets, sizes, promptOffsets, promptSizes, isPlain } = index;
    const places: Places = { length, offsets, sizes, promptOffsets, promptSizes, isPlain };
    return this.#ask((id) => ({ id, kind: "search", file, places, query }), (answer) => {
      if (answer.kind === "progress") onProgress(answer.bytes);
      else if (answer.kind === "found") onFound(answer.samples);
      else if (answer.kind === "searched") return true;
    });
  }

  /** @param onAnswer takes what comes on the way, and gives the result when it is there */
  #ask<T>(request: (id: number) => Request, onAnswer: (answer: Answer) => T | undefined): Job<T> {
    const id = this.#next++;
    const result = new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, {
        onAnswer: (answer) => {
          const value = answer.kind === "failed" ? undefined : onAnswer(answer);
          if (value === undefined && answer.kind !== "failed") return;
          this.#waiting.delete(id);
          if (answer.kind === "failed") reject(new Error(answer.message));
          else resolve(value!);
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
