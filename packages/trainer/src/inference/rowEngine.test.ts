import { random } from "@espalier/core";
import { modelConfig, type ModelShape } from "@espalier/spec/model";
import { describe, expect, it } from "vitest";
import { decode } from "../decode.ts";
import { DeviceModel } from "../deviceModel.ts";
import { initialParameters } from "../initialise.ts";
import { scoreSequences, scoreTokens, type Sequence } from "../score.ts";
import { testedExecutors } from "../testing/executors.ts";
import { poolRowsOf, programRows, RowEngine, wantedRows } from "./rowEngine.ts";

const V = 61;
const base = { vocabSize: V, numLayers: 2, residualDim: 32, headDim: 8, initStd: 0.4 } as const;
const shapes: Record<string, ModelShape> = {
  "FLM, xPos": { ...base, family: "flm", seqLen: 40, numKvHeads: 4, position: { kind: "xpos", centre: 20 } },
  "FLM, learned positions": { ...base, family: "flm", seqLen: 40, numKvHeads: 4, position: { kind: "learned" } },
  "FLM in parallel": { ...base, family: "flm", seqLen: 40, numKvHeads: 4, parallelResidual: true },
  "Llama, grouped heads": { ...base, family: "llama", seqLen: 40, numKvHeads: 2, groupSize: 2, tiedHead: false },
  "Llama, own frequencies, longer than a run": { ...base, family: "llama", seqLen: 300, numKvHeads: 2, position: { kind: "rope", frequencies: [1, 0.3, 0.1, 0.01] } },
};

/** The model's own logits after each token, from the full forward pass. */
async function fullLogits(device: DeviceModel, tokens: readonly number[]): Promise<Float32Array[]> {
  const T = device.config.seqLen;
  const { program, inputs, outputs } = device.logits({ B: 1, T });
  inputs[0].set("tokens", Int32Array.from({ length: T }, (_, n) => tokens[n] ?? 0));
  device.setModelInputs(inputs[0]);
  await program.run(inputs[0].bytes, outputs.bytes);
  const logits = outputs.get("logits") as Float32Array;
  return tokens.map((_, n) => logits.slice(n * V, (n + 1) * V));
}

function logprob(logits: Float32Array, target: number): number {
  const top = Math.max(...logits);
  return logits[target]! - top - Math.log(logits.reduce((sum, x) => sum + Math.exp(x - top), 0));
}

async function continued(engine: RowEngine, prompts: readonly (readonly number[])[], maxTokens: number): Promise<number[][]> {
  const written = prompts.map((): number[] => []);
  const decodings = prompts.map((prompt, i) => ({
    prompt,
    maxTokens,
    temperature: 0,
    uniform: () => 0,
    onToken: (id: number) => written[i]!.push(id) < 0,
  }));
  await decode(engine, decodings, new Uint8Array(V).fill(1));
  return written;
}

describe("programRows", () => {
  it("holds the rows, wastes fewer than 32 of them, and takes few sizes", () => {
    const sizes = Array.from({ length: 256 }, (_, n) => programRows(n + 1));
    sizes.forEach((size, n) => expect(size - (n + 1)).toBeGreaterThanOrEqual(0));
    sizes.forEach((size, n) => expect(size - (n + 1)).toBeLessThan(Math.min(32, n + 1)));
    expect([...new Set(sizes)]).toEqual([1, 2, 4, 8, 16, 32, 64, 96, 128, 160, 192, 224, 256]);
  });
});

describe("wantedRows", () => {
  it("holds the wanted rows in at most half of the run's, in few sizes, of large runs alone", () => {
    expect([0, 32, 33, 64, 65, 128, 129].map((count) => wantedRows(256, count))).toEqual([32, 32, 64, 64, 128, 128, undefined]);
    expect([64, 65].map((count) => wantedRows(160, count))).toEqual([64, undefined]);
    expect(wantedRows(96, 1)).toBeUndefined();
  });
});

describe.each(testedExecutors())("inference on $name", ({ name, make, tolerance }) => {
  describe.each(Object.entries(shapes))("of %s", (title, shape) => {
    const config = modelConfig(shape);
    const stream = random(8, title);
    const token = (i: number) => stream.integer(i, V);
    const device = new DeviceModel(make(), { config, parameters: initialParameters(config, 3) });
    const long = config.seqLen > 100;
    // The reference computes a whole forward pass in plain loops: fewer tokens there.
    const some = name === "reference" && long;
    const prompts = Array.from({ length: some ? 2 : 5 }, (_, i) => [
      ...Array.from({ length: long ? 270 : 11 }, (_, n) => token(n)), // all begin alike
      ...Array.from({ length: i % 4 }, (_, n) => token(1000 * i + n)),
    ]);

    it("gives the same bits where the last layer runs for the scored tokens alone", async () => {
      const whole = Array.from({ length: some ? 5 : 9 }, (_, i) => Array.from({ length: 36 }, (_, n) => token(500 * i + n)));
      const ends = whole.map((tokens, i) => ({ tokens, numScored: 1 + (i % 4) }));
      const asked: (number | undefined)[] = [];
      const engine = new RowEngine(device);
      const { program } = device;
      device.program = (key, build) => {
        asked.push(/^rows/.test(key) ? Number(/(\d+) wanted/.exec(key)?.[1]) || undefined : undefined);
        return program.call(device, key, build);
      };
      const found = await scoreTokens(engine, ends);
      expect(asked).toContain(32);
      asked.length = 0;
      const all = await scoreTokens(engine, whole.map((tokens) => ({ tokens, numScored: 35 })));
      expect(asked.every((wanted) => wanted === undefined)).toBe(true);
      device.program = program;
      found.forEach((scores, i) => expect(scores).toEqual(all[i]!.slice(-ends[i]!.numScored)));
    });

    it("decodes greedily what the full forward pass would choose, token for token", async () => {
      const maxTokens = some ? 2 : 9;
      const written = await continued(new RowEngine(device), prompts, maxTokens);
      for (const [i, prompt] of prompts.entries()) {
        const logits = await fullLogits(device, [...prompt, ...written[i]!]);
        const expected = written[i]!.map((_, k) => logits[prompt.length - 1 + k]!).map((row) => row.indexOf(Math.max(...row)));
        expect(written[i]).toEqual(expected);
        expect(written[i]).toHaveLength(maxTokens);
      }
    });

    it("scores as the full forward pass does", async () => {
      const engine = new RowEngine(device);
      const sequences = prompts.map((tokens): Sequence => ({ tokens, numScored: 6 }));
      const scores = await scoreSequences(engine, sequences);
      for (const [i, tokens] of prompts.entries()) {
        const logits = await fullLogits(device, tokens);
        const places = tokens.map((_, n) => n).slice(-6);
        const expected = places.reduce((sum, n) => sum + logprob(logits[n - 1]!, tokens[n]!), 0);
        expect(Math.abs(scores[i]!.logprob - expected)).toBeLessThan(tolerance * Math.abs(expected));
        expect(scores[i]!.isGreedy).toBe(places.every((n) => logits[n - 1]!.indexOf(Math.max(...logits[n - 1]!)) === tokens[n]));
      }
      expect(engine.numUnused).toBe(engine.cache.poolRows);
    });

    it("gives the same bits alone, together, in any order and over the smallest cache", async () => {
      const sequences = prompts.flatMap((tokens): Sequence[] => [{ tokens, numScored: 3 }, { tokens: tokens.slice(2), numScored: 1 }, { tokens, numScored: 0 }]);
      const [large, small] = [new RowEngine(device), new RowEngine(new DeviceModel(make(), { config, parameters: initialParameters(config, 3) }), { cacheBytes: 1 })];
      const together = await scoreSequences(large, sequences);
      expect(await scoreSequences(small, sequences.toReversed())).toEqual(together.toReversed());
      for (const [i, sequence] of sequences.entries()) expect(await scoreSequences(large, [sequence])).toEqual([together[i]]);
      const written = await continued(large, prompts, 3);
      expect(await continued(small, prompts.toReversed(), 3)).toEqual(written.toReversed());
      expect(await continued(large, prompts.slice(1, 2), 3)).toEqual(written.slice(1, 2));
      expect(small.numUnused).toBe(small.cache.poolRows);
    });
  });

  it("gives a beginning the same bits in a run of any size", async () => {
    const config = modelConfig(shapes["Llama, own frequencies, longer than a run"]!);
    const stream = random(8, "sizes");
    const tokens = Array.from({ length: 257 }, (_, n) => stream.integer(n, V));
    const device = new DeviceModel(make(), { config, parameters: initialParameters(config, 3) });
    const lengths = name === "reference" ? [2, 40] : [2, 3, 5, 9, 17, 33, 40, 65, 97, 100, 129, 161, 193, 225, 257]; // one more than is fed
    const whole: (string | undefined)[] = [];
    for (const length of lengths) {
      const sequence: Sequence = { tokens: tokens.slice(0, length), numScored: length - 1 };
      const [scores] = await scoreTokens(new RowEngine(device), [sequence], true);
      scores!.forEach(({ logits, ...score }, k) => {
        const bits = JSON.stringify([score, Array.from(logits!)]);
        expect(bits, `token ${k + 1} of ${length}`).toBe((whole[k] ??= bits));
      });
    }
    device.free();
  });
});

describe("decode", () => {
  const executor = testedExecutors().at(-1)!.make();
  const config = modelConfig({ ...base, family: "flm", seqLen: 40, numKvHeads: 2 });
  const device = new DeviceModel(executor, { config, parameters: initialParameters(config, 5) });

  it("finishes more sequences than the cache holds at once, and frees it after an error", async () => {
    const engine = new RowEngine(device, { cacheBytes: 1 });
    expect(engine.cache.poolRows).toBe(poolRowsOf(config, 1));
    const stream = random(6, "many");
    const prompts = Array.from({ length: 90 }, (_, i) => Array.from({ length: 1 + (i % 20) }, (_, n) => stream.integer(i * 50 + n, V)));
    const written = await continued(engine, prompts, 20);
    expect(await continued(engine, prompts.slice(40, 41), 20)).toEqual(written.slice(40, 41));
    const failing = prompts.slice(0, 9).map((prompt, i) => ({
      prompt,
      maxTokens: 5,
      temperature: 0,
      uniform: () => 0,
      onToken() {
        if (i === 4) throw new Error("enough");
        return false;
      },
    }));
    await expect(decode(engine, failing, new Uint8Array(V).fill(1))).rejects.toThrow("enough");
    expect(engine.numUnused).toBe(engine.cache.poolRows);
    expect(await continued(engine, prompts.slice(40, 41), 20)).toEqual(written.slice(40, 41));
  });

  it("never writes an id that no token has, and names a request that no cache can hold", async () => {
    const engine = new RowEngine(device, { cacheBytes: 1 });
    const isToken = Uint8Array.from({ length: V }, (_, id) => +(id % 2 === 0));
    const written: number[] = [];
    const one = { prompt: [1], maxTokens: 30, temperature: 1.5, uniform: (n: number) => (n * 0.37) % 1, onToken: (id: number) => written.push(id) < 0 };
    await decode(engine, [one], isToken);
    expect(written).toHaveLength(30);
    expect(written.every((id) => id % 2 === 0)).toBe(true);
    await expect(decode(engine, [{ ...one, maxTokens: 9999 }], isToken)).rejects.toThrow(/decode: 1 tokens and 9999 more, expected at most 296/);
  });
});
