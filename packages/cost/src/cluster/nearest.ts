/** Edits (insert, delete, replace) between two words. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(next[j - 1]! + 1, row[j]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row.at(-1)!;
}

/** The three known names closest to an unknown one, a name that contains it first. */
export function nearestNames(unknown: string, names: readonly string[]): string[] {
  const word = unknown.toLowerCase();
  const distance = (name: string) => (name.toLowerCase().includes(word) ? 0 : editDistance(word, name.toLowerCase()));
  return names.toSorted((a, b) => distance(a) - distance(b)).slice(0, 3);
}
