import type { ArmRole } from "@espalier/spec/run";

/** One colour, one stroke and one sentence a role, used by chart, legend and tables alike. */
export const roles: Record<ArmRole, { label: string; colour: string; dash?: string; says: string }> = {
  "growth three stages": { label: "grown, three stages", colour: "var(--grown)", says: "MSG, in the paper's proportions" },
  "growth one hop": { label: "grown, one hop in depth", colour: "var(--hop)", says: "few layers, then all of them at once" },
  "scratch bar": { label: "scratch, more FLOPs", colour: "var(--bar)", dash: "7 3", says: "final shape, 1.3 to 1.4 times the grown run's FLOPs, tuned" },
  "scratch equal tokens": { label: "scratch, equal tokens", colour: "var(--tokens)", dash: "2 3", says: "the paper's comparison" },
  "best fixed shape": { label: "fixed shapes, equal FLOPs", colour: "var(--fixed)", dash: "7 3 2 3", says: "the rival of every growth run; thin: shapes of the sweep that lost" },
  pilot: { label: "pilots", colour: "var(--pilot)", says: "learning-rate trials, counted" },
};
