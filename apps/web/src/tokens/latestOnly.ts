import type { Answer, Request, Source } from "./messages.ts";

/** A text that takes longer than this is given up for a newer one. */
const PATIENCE_MS = 1000;

/** What is used of a `Worker`. */
export type WorkerLike = Pick<Worker, "postMessage" | "terminate" | "onmessage" | "onerror">;

/** A worker that has one text at a time: of those that come meanwhile only the last is encoded. */
export interface LatestOnly {
  use(source: Source): void;
  encode(text: string, special: boolean): void;
  close(): void;
}

/**
 * @param start makes a worker; called again when one is given up, which then gets the last tokeniser that was usable
 * @param onAnswer gets the answers that still count
 */
export function latestOnly(start: () => WorkerLike, onAnswer: (answer: Answer) => void): LatestOnly {
  let worker = begin();
  let usable: Source | undefined;
  let asked: Source[] = []; // not answered yet
  let newest: Request | undefined; // the text that the page has
  let isWaiting = false; // it has not been posted
  let running: { since: number; timer?: ReturnType<typeof setTimeout> } | undefined;

  function begin(): WorkerLike {
    const made = start();
    made.onmessage = ({ data }: MessageEvent<Answer>) => {
      if (data.kind === "ready" || (data.kind === "problem" && data.of === "tokenizer")) {
        const source = asked.shift();
        if (data.kind === "ready") usable = source;
      } else {
        clearTimeout(running?.timer);
        running = undefined;
      }
      onAnswer(data);
      // A new tokeniser makes the text new; before the first there were no tokens of it.
      if (data.kind === "ready") isWaiting = newest !== undefined;
      next();
    };
    made.onerror = ({ message }) => onAnswer({ kind: "problem", of: "text", message: message || "This browser starts no worker for the page, and texts are encoded in one." });
    return made;
  }
  function next(): void {
    if (!isWaiting || running || !usable || !newest) return;
    isWaiting = false;
    running = { since: performance.now() };
    worker.postMessage(newest);
  }
  function giveUp(): void {
    if (!running || !isWaiting) return;
    running = undefined;
    worker.terminate();
    worker = begin();
    const sources = [...(usable ? [usable] : []), ...asked];
    asked = [];
    for (const source of sources) ask(source);
  }
  function ask(source: Source): void {
    asked.push(source);
    worker.postMessage({ kind: "tokenizer", source });
  }
  return {
    use: ask,
    encode(text, special) {
      newest = { kind: "text", text, special: special ? "recognize" : "text" };
      isWaiting = true;
      if (running) running.timer ??= setTimeout(giveUp, Math.max(0, running.since + PATIENCE_MS - performance.now()));
      next();
    },
    close() {
      clearTimeout(running?.timer);
      worker.terminate();
    },
  };
}
