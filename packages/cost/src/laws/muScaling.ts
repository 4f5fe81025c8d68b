import { type Fit, leastSquares } from "./leastSquares.ts";

/** Fit of the mu-scaling law, with names for its three parameters. */
export interface MuScalingFit {
  a: number;
  b: number;
  c: number;
  /** Predicted loss at N million parameters, with its standard error from the covariance of the fit. */
  predict(parametersM: number): { loss: number; standardError: number };
  fit: Fit;
}

/**
 * Loss of a wide model from narrow proxies under muP at fixed depth and step: `L(N) = a N^b + c`, N in millions.
 * Start (1, -1, 3), as the authors fit it.
 *
 * @param points (millions of parameters, loss in nats per token), at least four
 * @see Yao and Wang 2023, arXiv:2304.06875
 */
export function fitMuScaling(points: readonly (readonly [parametersM: number, loss: number])[]): MuScalingFit {
  const fit = leastSquares(
    {
      value: (N, [a, b, c]) => a! * N ** b! + c!,
      gradient: (N, [a, b]) => [N ** b!, a! * N ** b! * Math.log(N), 1],
    },
    points,
    [1, -1, 3],
  );
  const [a, b, c] = fit.parameters as [number, number, number];
  return {
    a,
    b,
    c,
    fit,
    predict(parametersM) {
      const { value, standardError } = fit.predict(parametersM);
      return { loss: value, standardError };
    },
  };
}
