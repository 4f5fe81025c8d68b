import { useEffect, useState } from "react";
import type { SampleView } from "./format.ts";
import { readSample } from "./logIndex.ts";
import type { OpenLog } from "./useLogs.ts";

/** Samples read lately, by log: scrolling back does not read again. */
const cache = new WeakMap<File, Map<number, SampleView>>();
const KEPT = 500;

/** Sample i of a log, read from the file when it is first looked at. */
export function useSample(log: OpenLog | undefined, i: number): SampleView | undefined {
  const { file, index } = log ?? {};
  const [state, setState] = useState<{ file?: File; i: number; sample?: SampleView }>({ i: -1 });
  const cached = file && i >= 0 ? cache.get(file)?.get(i) : undefined;
  useEffect(() => {
    if (!file || !index || i < 0 || cached) return;
    let current = true;
    void readSample(file, index, i).then((sample) => {
      const kept = cache.get(file) ?? new Map<number, SampleView>();
      cache.set(file, kept);
      if (kept.size >= KEPT) kept.delete(kept.keys().next().value!);
      kept.set(i, sample);
      if (current) setState({ file, i, sample });
    });
    return () => {
      current = false;
    };
  }, [file, index, i, cached]);
  return cached ?? (state.file === file && state.i === i ? state.sample : undefined);
}
