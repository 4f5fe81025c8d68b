/** A fitted curve: parameters, their covariance and the residual standard deviation. */
export interface Fit {
  parameters: readonly number[];
  /** Covariance of the parameters, from the Jacobian at the optimum and the residual variance. */
  covariance: readonly (readonly number[])[];
  residualStd: number;
  /** Value at x and its standard error from the covariance (delta method). */
  predict(x: number): { value: number; standardError: number };
}

/** A curve `y = f(x; p)` and its derivative by each parameter. */
export interface Curve {
  value(x: number, p: readonly number[]): number;
  gradient(x: number, p: readonly number[]): number[];
}

/** Solves a small symmetric positive system by Gauss-Jordan elimination with pivoting; columns of B are right sides. */
export function solve(A: number[][], B: number[][]): number[][] {
  const n = A.length;
  const rows = A.map((row, i) => [...row, ...B[i]!]);
  for (let i = 0; i < n; i++) {
    let pivot = i;
    for (let j = i + 1; j < n; j++) if (Math.abs(rows[j]![i]!) > Math.abs(rows[pivot]![i]!)) pivot = j;
    [rows[i], rows[pivot]] = [rows[pivot]!, rows[i]!];
    const scale = rows[i]![i]!;
    if (scale === 0) throw new RangeError("leastSquares: the points do not determine the curve. Give points at more different x.");
    rows[i] = rows[i]!.map((v) => v / scale);
    for (let j = 0; j < n; j++) {
      if (j === i) continue;
      const factor = rows[j]![i]!;
      rows[j] = rows[j]!.map((v, k) => v - factor * rows[i]![k]!);
    }
  }
  return rows.map((row) => row.slice(n));
}

/**
 * Least squares by Levenberg-Marquardt with Marquardt's diagonal scaling.
 *
 * @param points (x, y), at least one more than there are parameters
 * @param start  first guess
 * @throws {RangeError} when there are too few points or they do not determine the curve
 */
export function leastSquares(curve: Curve, points: readonly (readonly [number, number])[], start: readonly number[]): Fit {
  const n = start.length;
  if (points.length <= n) {
    throw new RangeError(`leastSquares: ${points.length} points, expected more than the ${n} parameters. Measure more points.`);
  }
  const squares = (p: readonly number[]) => points.reduce((sum, [x, y]) => sum + (y - curve.value(x, p)) ** 2, 0);
  const normal = (p: readonly number[]) => {
    const H = Array.from({ length: n }, () => new Array<number>(n).fill(0));
    const g = new Array<number>(n).fill(0);
    for (const [x, y] of points) {
      const d = curve.gradient(x, p);
      const residual = y - curve.value(x, p);
      for (let i = 0; i < n; i++) {
        g[i]! += d[i]! * residual;
        for (let j = 0; j < n; j++) H[i]![j]! += d[i]! * d[j]!;
      }
    }
    return { H, g };
  };

  let p = [...start];
  let error = squares(p);
  let damping = 1e-3;
  for (let iteration = 0; iteration < 1000; iteration++) {
    const { H, g } = normal(p);
    const damped = H.map((row, i) => row.map((v, j) => (i === j ? v * (1 + damping) : v)));
    const step = solve(damped, g.map((v) => [v])).map((row) => row[0]!);
    const candidate = p.map((v, i) => v + step[i]!);
    const candidateError = squares(candidate);
    if (Number.isFinite(candidateError) && candidateError <= error) {
      const still = step.every((v, i) => Math.abs(v) <= 1e-12 * (Math.abs(p[i]!) + 1e-12));
      p = candidate;
      error = candidateError;
      damping = Math.max(damping / 10, 1e-12);
      if (still) break;
    } else {
      damping *= 10;
      if (damping > 1e12) break;
    }
  }

  const variance = error / (points.length - n);
  const identity = Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_, j) => (i === j ? 1 : 0)));
  const covariance = solve(normal(p).H, identity).map((row) => row.map((v) => v * variance));
  return {
    parameters: p,
    covariance,
    residualStd: Math.sqrt(variance),
    predict(x) {
      const d = curve.gradient(x, p);
      const squared = d.reduce((sum, di, i) => sum + d.reduce((inner, dj, j) => inner + di * dj * covariance[i]![j]!, 0), 0);
      return { value: curve.value(x, p), standardError: Math.sqrt(Math.max(0, squared)) };
    },
  };
}
