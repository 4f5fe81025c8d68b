import type { ArmRole } from "@espalier/spec/run";

/** One colour and one sentence a role, used by chart, legend and tables alike. */
export const roles: Record<ArmRole, { label: string; colour: string; says: string }> = {
  "growth three stages": { label: "grown, three stages", colour: "var(--grown)", says: "MSG, in the paper's proportions" },
  "growth one hop": { label: "grown, one hop in depth", colour: "var(--hop)", says: "few layers, then all of them at once" },
  "scratch bar": { label: "scratch with more FLOPs", colour: "var(--bar)", says: "final shape, s times the grown run's FLOPs, tuned" },
  "scratch equal tokens": { label: "scratch, equal tokens", colour: "var(--tokens)", says: "the paper's comparison" },
  "best fixed shape": { label: "fixed shapes, equal FLOPs", colour: "var(--fixed)", says: "the rival of every growth run" },
  pilot: { label: "pilots", colour: "var(--pilot)", says: "learning-rate trials, counted" },
};
