import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { latestOnly, type WorkerLike } from "./latestOnly.ts";
import type { Answer, Request, Source } from "./messages.ts";

const source = (encoding: string) => ({ encoding, compressed: new Uint8Array() }) as unknown as Source;

/** Workers that answer when they are told to. */
function fakes() {
  const workers: { requests: Request[]; ended: boolean; answer(answer: Partial<Answer>): void }[] = [];
  const start = (): WorkerLike => {
    const requests: Request[] = [];
    const worker = { postMessage: (request: Request) => requests.push(request), terminate: () => void (state.ended = true), onmessage: null, onerror: null } as unknown as WorkerLike;
    const state = { requests, ended: false, answer: (data: Partial<Answer>) => worker.onmessage!.call(worker as Worker, { data } as MessageEvent) };
    workers.push(state);
    return worker;
  };
  const answers: Answer[] = [];
  return { workers, answers, latest: latestOnly(start, (answer) => answers.push(answer)) };
}
const textsOf = (requests: Request[]) => requests.map((request) => (request.kind === "text" ? request.text : "source"));

describe("latestOnly", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] }));
  afterEach(() => void vi.useRealTimers());

  it("waits for a tokeniser, has one text at a time, and of those that come meanwhile the last", () => {
    const { workers, latest, answers } = fakes();
    latest.encode("a", false);
    latest.use(source("cl100k_base"));
    expect(textsOf(workers[0]!.requests)).toEqual(["source"]);
    workers[0]!.answer({ kind: "ready" });
    for (const text of ["b", "c", "d"]) latest.encode(text, false);
    expect(textsOf(workers[0]!.requests)).toEqual(["source", "a"]);
    workers[0]!.answer({ kind: "tokens" });
    expect(textsOf(workers[0]!.requests)).toEqual(["source", "a", "d"]);
    workers[0]!.answer({ kind: "tokens" });
    vi.advanceTimersByTime(10_000);
    expect([workers.length, answers.length, textsOf(workers[0]!.requests).length]).toEqual([1, 3, 3]);
  });

  it("encodes the text again when the tokeniser is another, and keeps the old one when a file is none", () => {
    const { workers, latest } = fakes();
    latest.use(source("cl100k_base"));
    workers[0]!.answer({ kind: "ready" });
    latest.encode("a", true);
    workers[0]!.answer({ kind: "tokens" });
    latest.use(source("gpt2"));
    workers[0]!.answer({ kind: "ready" });
    workers[0]!.answer({ kind: "tokens" });
    latest.use(source("broken"));
    workers[0]!.answer({ kind: "problem", of: "tokenizer" });
    expect(textsOf(workers[0]!.requests)).toEqual(["source", "a", "source", "a", "source"]);
  });

  it("gives up a text that takes long for a newer one, and only then", () => {
    const { workers, latest } = fakes();
    latest.use(source("cl100k_base"));
    workers[0]!.answer({ kind: "ready" });
    latest.encode("long", false);
    vi.advanceTimersByTime(60_000);
    expect(workers).toHaveLength(1);
    latest.encode("new", false);
    vi.advanceTimersByTime(1);
    expect([workers.length, workers[0]!.ended]).toEqual([2, true]);
    workers[1]!.answer({ kind: "ready" });
    expect(workers[1]!.requests).toMatchObject([{ source: { encoding: "cl100k_base" } }, { text: "new" }]);
    latest.close();
    expect(workers[1]!.ended).toBe(true);
  });
});
