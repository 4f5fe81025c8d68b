/** One condition that a map does not meet. */
export interface Refusal {
  /** The axis, tensor or layer. */
  where: string;
  /** What would have to hold. */
  condition: string;
  found: string;
}

export interface Verdict {
  holds: boolean;
  /** Empty when it holds. */
  refusals: readonly Refusal[];
}

/** What is proved of a map, in two separate columns. */
export interface Exactness {
  /** The target's logits equal the source's for every input (in exact arithmetic). */
  logits: Verdict;
  /**
   * On entries whose units are all carried, in layers that continue a source layer, the target's gradient is
   * `N_out^T g D_in^T / factor` (see `carryGradients`).
   */
  gradients: Verdict;
  /** The proof holds while gates are 0; without gates, or once they open, it does not. */
  needsGates: boolean;
}
