/**
 * Reverse-mode differentiation in fp64 with plain loops, for tests only: small, slow, and independent of package graph.
 * Every op pushes its backward step onto the tape; `backward` runs them in reverse.
 */
export interface Value {
  data: Float64Array;
  gradient: Float64Array;
}

export interface Tape {
  steps: (() => void)[];
}

export function value(data: Float64Array): Value {
  return { data, gradient: new Float64Array(data.length) };
}

export function backward(tape: Tape, loss: Value): void {
  loss.gradient[0] = 1;
  for (const step of tape.steps.toReversed()) step();
}

function record(tape: Tape, data: Float64Array, step: (dy: Float64Array) => void): Value {
  const y = value(data);
  tape.steps.push(() => step(y.gradient));
  return y;
}

/** y[r] = factor * table[tokens[r]] */
export function lookUp(tape: Tape, table: Value, tokens: readonly number[], C: number, factor: number): Value {
  const data = new Float64Array(tokens.length * C);
  tokens.forEach((token, r) => {
    for (let c = 0; c < C; c++) data[r * C + c] = factor * table.data[token * C + c]!;
  });
  return record(tape, data, (dy) =>
    tokens.forEach((token, r) => {
      for (let c = 0; c < C; c++) table.gradient[token * C + c]! += factor * dy[r * C + c]!;
    }),
  );
}

/** y = factor * x W^T + bias; x [R, K], W [M, K], y [R, M] */
export function linear(tape: Tape, x: Value, w: Value, bias: Value | undefined, K: number, factor = 1): Value {
  const R = x.data.length / K;
  const M = w.data.length / K;
  const data = new Float64Array(R * M);
  for (let r = 0; r < R; r++) {
    for (let m = 0; m < M; m++) {
      let sum = 0;
      for (let k = 0; k < K; k++) sum += x.data[r * K + k]! * w.data[m * K + k]!;
      data[r * M + m] = factor * sum + (bias ? bias.data[m]! : 0);
    }
  }
  return record(tape, data, (dy) => {
    for (let r = 0; r < R; r++) {
      for (let m = 0; m < M; m++) {
        const d = dy[r * M + m]!;
        if (bias) bias.gradient[m]! += d;
        for (let k = 0; k < K; k++) {
          x.gradient[r * K + k]! += factor * d * w.data[m * K + k]!;
          w.gradient[m * K + k]! += factor * d * x.data[r * K + k]!;
        }
      }
    }
  });
}

/** y = a f + b g with constant vectors or scalars f, g along the last axis */
export function combine(tape: Tape, a: Value, f: Weights, b?: Value, g: Weights = 1): Value {
  const data = a.data.map((x, i) => x * at(f, i) + (b ? b.data[i]! * at(g, i) : 0));
  return record(tape, data, (dy) =>
    dy.forEach((d, i) => {
      a.gradient[i]! += d * at(f, i);
      if (b) b.gradient[i]! += d * at(g, i);
    }),
  );
}

export type Weights = number | ArrayLike<number>;
const at = (w: Weights, i: number) => (typeof w === "number" ? w : w[i % w.length]!);

/** y = f(x) elementwise, with its derivative */
export function map(tape: Tape, x: Value, f: (x: number) => number, slope: (x: number) => number): Value {
  return record(tape, x.data.map(f), (dy) => dy.forEach((d, i) => (x.gradient[i]! += d * slope(x.data[i]!))));
}

export function multiply(tape: Tape, a: Value, b: Value): Value {
  return record(
    tape,
    a.data.map((x, i) => x * b.data[i]!),
    (dy) =>
      dy.forEach((d, i) => {
        a.gradient[i]! += d * b.data[i]!;
        b.gradient[i]! += d * a.data[i]!;
      }),
  );
}

/** Norm with channel weights c: `y = c ((x - mean) rstd gain + bias)`; RMSNorm when there is no bias (mean 0). */
export function norm(tape: Tape, x: Value, gain: Value, bias: Value | undefined, epsilon: number, c: Weights): Value {
  const C = gain.data.length;
  const R = x.data.length / C;
  let S = 0;
  for (let i = 0; i < C; i++) S += at(c, i);
  const data = new Float64Array(x.data.length);
  const hat = new Float64Array(x.data.length);
  const rstd = new Float64Array(R);
  for (let r = 0; r < R; r++) {
    let mean = 0;
    if (bias) for (let i = 0; i < C; i++) mean += (at(c, i) * x.data[r * C + i]!) / S;
    let variance = 0;
    for (let i = 0; i < C; i++) variance += (at(c, i) * (x.data[r * C + i]! - mean) ** 2) / S;
    rstd[r] = 1 / Math.sqrt(variance + epsilon);
    for (let i = 0; i < C; i++) {
      hat[r * C + i] = (x.data[r * C + i]! - mean) * rstd[r]!;
      data[r * C + i] = at(c, i) * (hat[r * C + i]! * gain.data[i]! + (bias ? bias.data[i]! : 0));
    }
  }
  return record(tape, data, (dy) => {
    for (let r = 0; r < R; r++) {
      let sum = 0;
      let sumHat = 0;
      for (let i = 0; i < C; i++) {
        const d = at(c, i) * dy[r * C + i]!;
        gain.gradient[i]! += d * hat[r * C + i]!;
        if (bias) bias.gradient[i]! += d;
        sum += d * gain.data[i]!;
        sumHat += d * gain.data[i]! * hat[r * C + i]!;
      }
      for (let i = 0; i < C; i++) {
        const a = at(c, i) * gain.data[i]! * dy[r * C + i]!;
        const centred = bias ? (at(c, i) / S) * sum : 0;
        x.gradient[r * C + i]! += rstd[r]! * (a - centred - (at(c, i) / S) * hat[r * C + i]! * sumHat);
      }
    }
  });
}

/** Half-split rotary pairs of one sequence x [T, heads, D]: angle n * frequency_i, length times decay_i^n. */
export function rotate(
  tape: Tape,
  x: Value,
  T: number,
  D: number,
  frequency: (i: number) => number,
  decay: (i: number) => number,
): Value {
  const numHeads = x.data.length / D / T;
  const turn = (from: Float64Array, sign: number, write: (i: number, v: number) => void) => {
    for (let h = 0; h < T * numHeads; h++) {
      const n = Math.floor(h / numHeads);
      for (let i = 0; i < D / 2; i++) {
        const length = decay(i) ** n;
        const [cos, sin] = [length * Math.cos(n * frequency(i)), sign * length * Math.sin(n * frequency(i))];
        const [a, b] = [h * D + i, h * D + i + D / 2];
        write(a, from[a]! * cos - from[b]! * sin);
        write(b, from[a]! * sin + from[b]! * cos);
      }
    }
  };
  const data = new Float64Array(x.data.length);
  turn(x.data, 1, (i, v) => (data[i] = v));
  return record(tape, data, (dy) => turn(dy, -1, (i, v) => (x.gradient[i]! += v)));
}

/** Causal attention of one sequence: q [T, N, D], k and v [T, G, D]; query head n reads key/value head n / group. */
export function attend(
  tape: Tape,
  q: Value,
  k: Value,
  v: Value,
  T: number,
  N: number,
  G: number,
  D: number,
  scale: number,
): Value {
  const group = N / G;
  const data = new Float64Array(T * N * D);
  const weights: Float64Array[] = [];
  for (let n = 0; n < N; n++) {
    const g = Math.floor(n / group);
    for (let t = 0; t < T; t++) {
      const p = new Float64Array(t + 1);
      for (let m = 0; m <= t; m++) {
        let dot = 0;
        for (let d = 0; d < D; d++) dot += q.data[(t * N + n) * D + d]! * k.data[(m * G + g) * D + d]!;
        p[m] = Math.exp(scale * dot);
      }
      const sum = p.reduce((a, b) => a + b);
      p.forEach((e, m) => (p[m] = e / sum));
      weights.push(p);
      for (let m = 0; m <= t; m++)
        for (let d = 0; d < D; d++) data[(t * N + n) * D + d]! += p[m]! * v.data[(m * G + g) * D + d]!;
    }
  }
  return record(tape, data, (dy) => {
    for (let n = 0; n < N; n++) {
      const g = Math.floor(n / group);
      for (let t = 0; t < T; t++) {
        const p = weights[n * T + t]!;
        const dp = p.map((_, m) => {
          let sum = 0;
          for (let d = 0; d < D; d++) sum += dy[(t * N + n) * D + d]! * v.data[(m * G + g) * D + d]!;
          return sum;
        });
        const mean = p.reduce((sum, w, m) => sum + w * dp[m]!, 0);
        for (let m = 0; m <= t; m++) {
          const ds = scale * p[m]! * (dp[m]! - mean);
          for (let d = 0; d < D; d++) {
            const [iq, ik] = [(t * N + n) * D + d, (m * G + g) * D + d];
            v.gradient[ik]! += p[m]! * dy[iq]!;
            q.gradient[iq]! += ds * k.data[ik]!;
            k.gradient[ik]! += ds * q.data[iq]!;
          }
        }
      }
    }
  });
}

/** Mean over rows of -log softmax(logits)[target]; logits [R, V] */
export function crossEntropy(tape: Tape, logits: Value, targets: readonly number[]): Value {
  const R = targets.length;
  const V = logits.data.length / R;
  let loss = 0;
  const probabilities = new Float64Array(logits.data.length);
  targets.forEach((target, r) => {
    const row = logits.data.subarray(r * V, (r + 1) * V);
    const sum = row.reduce((a, b) => a + Math.exp(b), 0);
    loss += (Math.log(sum) - row[target]!) / R;
    row.forEach((x, j) => (probabilities[r * V + j] = Math.exp(x) / sum));
  });
  return record(tape, Float64Array.of(loss), ([d]) =>
    targets.forEach((target, r) => {
      for (let j = 0; j < V; j++)
        logits.gradient[r * V + j]! += (d! * (probabilities[r * V + j]! - (j === target ? 1 : 0))) / R;
    }),
  );
}
