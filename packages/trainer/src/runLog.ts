import { disk, type LineWriter, openLines } from "@espalier/core/node";
import type { Metric, RunEvent } from "@espalier/spec/run";
import { runPaths } from "./runDirectory.ts";
import type { TrainHooks } from "./trainRequest.ts";

type Untimed<E> = E extends unknown ? Omit<E, "at"> : never;

/** `metrics.jsonl` and `events.jsonl` of a run that is trained; the caller's hooks hear of every line that is written. */
export class RunLog {
  readonly #metrics: LineWriter;
  readonly #events: LineWriter;
  readonly #hooks: TrainHooks;

  private constructor(metrics: LineWriter, events: LineWriter, hooks: TrainHooks) {
    this.#metrics = metrics;
    this.#events = events;
    this.#hooks = hooks;
  }

  static async open(directory: string, hooks: TrainHooks): Promise<RunLog> {
    const { fileSystem = disk } = hooks;
    const metrics = await openLines(runPaths.metrics(directory), fileSystem);
    const events = await openLines(runPaths.events(directory), fileSystem).catch(async (error: unknown) => {
      await metrics.close();
      throw error;
    });
    return new RunLog(metrics, events, hooks);
  }

  /** Not durable before `syncMetrics`. */
  async metric(metric: Metric): Promise<void> {
    await this.#metrics.append(metric);
    this.#hooks.onMetric?.(metric);
  }

  async syncMetrics(): Promise<void> {
    await this.#metrics.sync();
  }

  /** Durable when it returns; the time is that of the call. */
  async event(event: Untimed<RunEvent>): Promise<void> {
    const { kind, ...rest } = event;
    const timed = { kind, at: new Date().toISOString(), ...rest } as RunEvent;
    await this.#events.append(timed);
    await this.#events.sync();
    this.#hooks.onEvent?.(timed);
  }

  async close(): Promise<void> {
    await this.#metrics.close().finally(() => this.#events.close());
  }
}
