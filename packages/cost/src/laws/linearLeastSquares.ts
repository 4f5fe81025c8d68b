import { solve } from "./leastSquares.ts";

/** Coefficients of a model linear in them: `y = sum_k w_k f_k`. */
export interface LinearFit {
  coefficients: readonly number[];
  /** Covariance of the coefficients from the residual variance. */
  covariance: readonly (readonly number[])[];
  residualStd: number;
  /** Value at a row of features and its standard error. */
  predict(features: readonly number[]): { value: number; standardError: number };
}

/**
 * Ordinary least squares by the normal equations.
 *
 * @param rows one row of features a measurement, more rows than features
 * @throws {RangeError} when there are too few rows or they do not determine the coefficients
 */
export function linearLeastSquares(rows: readonly (readonly number[])[], y: readonly number[]): LinearFit {
  const n = rows[0]?.length ?? 0;
  if (rows.length <= n) throw new RangeError(`linearLeastSquares: ${rows.length} rows, expected more than the ${n} features. Measure more.`);
  const A = Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_, j) => rows.reduce((sum, row) => sum + row[i]! * row[j]!, 0)));
  const b = Array.from({ length: n }, (_, i) => [rows.reduce((sum, row, r) => sum + row[i]! * y[r]!, 0)]);
  const coefficients = solve(A, b).map((row) => row[0]!);
  const value = (features: readonly number[]) => features.reduce((sum, f, i) => sum + f * coefficients[i]!, 0);
  const variance = rows.reduce((sum, row, r) => sum + (y[r]! - value(row)) ** 2, 0) / (rows.length - n);
  const identity = A.map((_, i) => A.map((_, j) => (i === j ? 1 : 0)));
  const covariance = solve(A, identity).map((row) => row.map((v) => v * variance));
  return {
    coefficients,
    covariance,
    residualStd: Math.sqrt(variance),
    predict(features) {
      const squared = features.reduce((sum, a, i) => sum + features.reduce((inner, c, j) => inner + a * c * covariance[i]![j]!, 0), 0);
      return { value: value(features), standardError: Math.sqrt(Math.max(0, squared)) };
    },
  };
}
