import type { Rival } from "./rival.ts";
import type { Side } from "./statistics.ts";

/** Seconds of one turn, and of the neighbour's work, which has to outlast it. */
const TURN = 0.6;
const SPIN = 1.5;

/** Mean rate over a turn of wall time, so that stalls count in full. `work` returns how much it did. */
export function meanRate(work: () => Promise<number>): Side {
  return async () => {
    const start = performance.now();
    let done = 0;
    let seconds = 0;
    do {
      done += await work();
      seconds = (performance.now() - start) / 1000;
    } while (seconds < TURN);
    return done / seconds;
  };
}

/** The same turn while another process keeps one core busy with multiply-adds from its beginning to after its end. */
export function besideNeighbour(side: Side, neighbour: Rival): Side {
  return async () => {
    const spinning = neighbour.ask(`fma 1 ${SPIN}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
    const rate = await side();
    await spinning;
    return rate;
  };
}
