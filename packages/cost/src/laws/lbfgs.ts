/** Value and gradient of a function at a point. */
export type Objective = (x: readonly number[]) => { value: number; gradient: number[] };

const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, v, i) => sum + v * b[i]!, 0);

/**
 * Minimum by L-BFGS: two-loop recursion over the last `memory` steps, backtracking until Armijo's condition holds;
 * pairs with no positive curvature are skipped.
 *
 * @returns the point, its value and whether the largest gradient entry fell below `tolerance`
 * @see Nocedal and Wright 2006, Numerical Optimization, algorithms 7.4 and 7.5
 */
export function lbfgs(
  objective: Objective,
  start: readonly number[],
  { memory = 10, iterations = 500, tolerance = 1e-9 }: { memory?: number; iterations?: number; tolerance?: number } = {},
): { x: number[]; value: number; converged: boolean } {
  let x = [...start];
  let { value, gradient } = objective(x);
  const history: { s: number[]; y: number[]; rho: number }[] = [];
  for (let iteration = 0; iteration < iterations; iteration++) {
    if (Math.max(...gradient.map(Math.abs)) < tolerance) return { x, value, converged: true };
    let direction = gradient.map((g) => -g);
    const alphas: number[] = [];
    for (const { s, y, rho } of history.toReversed()) {
      const alpha = rho * dot(s, direction);
      alphas.push(alpha);
      direction = direction.map((d, i) => d - alpha * y[i]!);
    }
    const last = history.at(-1);
    if (last) {
      const scale = 1 / (last.rho * dot(last.y, last.y));
      direction = direction.map((d) => d * scale);
    }
    history.forEach(({ s, y, rho }, k) => {
      const beta = rho * dot(y, direction);
      const alpha = alphas[history.length - 1 - k]!;
      direction = direction.map((d, i) => d + (alpha - beta) * s[i]!);
    });
    let slope = dot(gradient, direction);
    if (slope >= 0) {
      history.length = 0;
      direction = gradient.map((g) => -g);
      slope = -dot(gradient, gradient);
    }
    // Without history the first step is no longer than 1.
    let step = history.length > 0 ? 1 : Math.min(1, 1 / Math.sqrt(-slope));
    let next = objective(x.map((v, i) => v + step * direction[i]!));
    for (let halving = 0; halving < 60 && !(next.value <= value + 1e-4 * step * slope); halving++) {
      step /= 2;
      next = objective(x.map((v, i) => v + step * direction[i]!));
    }
    if (!(next.value <= value)) return { x, value, converged: false };
    const s = direction.map((d) => step * d);
    const y = next.gradient.map((g, i) => g - gradient[i]!);
    const curvature = dot(s, y);
    if (curvature > 1e-12 * dot(y, y)) history.push({ s, y, rho: 1 / curvature });
    if (history.length > memory) history.shift();
    x = x.map((v, i) => v + s[i]!);
    ({ value, gradient } = next);
  }
  return { x, value, converged: false };
}
