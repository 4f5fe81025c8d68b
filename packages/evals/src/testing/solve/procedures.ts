/** Solvers of the step-wise procedures: each works from the prompt's last line alone and in another way than its generator. */

const query = (prompt: string): string => prompt.slice(prompt.lastIndexOf("\n") + 1).replace(/ ->$/, "");
const parted = (prompt: string): [string, string] => query(prompt).split(": ") as [string, string];

/** Every prefix of the list, in turn. */
const prefixes = <T>(list: readonly T[]): T[][] => list.map((_, n) => list.slice(0, n + 1));

function runningTotal(prompt: string): string {
  const [start, moves] = parted(prompt);
  return prefixes(moves.split(" ")).map((done) => done.reduce((sum, move) => sum + Number(move), Number(start))).join(", ");
}

function headTailSteps(prompt: string): string {
  const [start, orders] = parted(prompt);
  const apply = (text: string, order: string): string => {
    const letter = order.at(-1)!;
    if (/^head .$/.test(order)) return letter + text;
    if (/^tail .$/.test(order)) return text + letter;
    if (order === "turn") return [...text].reduceRight((turned, one) => turned + one, "");
    return order === "cut head" ? text.replace(/^./, "") : text.replace(/.$/, "");
  };
  return prefixes(orders.split(", ")).map((done) => done.reduce(apply, start)).join(", ");
}

function replaceSteps(prompt: string): string {
  const [start, rules] = parted(prompt);
  return prefixes(rules.split(", ")).map((done) => done.reduce((text, rule) => text.split(rule[0]).join(rule[2]), start)).join(", ");
}

function sortSteps(prompt: string): string {
  const list = query(prompt).split(" ").slice(1).map(Number);
  const sorted = [...list].sort((a, b) => a - b);
  // At place p the number p of the sorted list must come to stand.
  return sorted.slice(0, -1).map((wanted, place) => {
    const from = list.indexOf(wanted);
    list.splice(from, 1, list[place]);
    list.splice(place, 1, wanted);
    return list.join(" ");
  }).join("; ");
}

function euclidSteps(prompt: string): string {
  let [a, b] = query(prompt).split(" mod ").map(Number);
  const remainders: number[] = [];
  while (b > 0) {
    const remainder = a - Math.floor(a / b) * b;
    remainders.push(remainder);
    a = b;
    b = remainder;
  }
  return remainders.join(", ");
}

function walkSteps(prompt: string): string {
  const [start, moves] = parted(prompt);
  const [x, y] = start.split(" ").map(Number);
  const total = (done: readonly string[], letter: string) => done.filter((move) => move[0] === letter).reduce((sum, move) => sum + Number(move.slice(1)), 0);
  return prefixes(moves.split(" ")).map((done) => `${x + total(done, "E") - total(done, "W")} ${y + total(done, "N") - total(done, "S")}`).join(", ");
}

function stackSteps(prompt: string): string {
  return prefixes(query(prompt).split(" ")).map((done) => {
    let text = done.join("");
    while (/\+.-/.test(text)) text = text.replace(/\+.-/, ""); // a push and its pop cancel out
    return text.at(-1)!;
  }).join(", ");
}

export const procedureSolvers = { runningTotal, headTailSteps, replaceSteps, sortSteps, euclidSteps, walkSteps, stackSteps };
