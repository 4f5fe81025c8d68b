/** Solvers of the reasoning families over numbers, each in another way than its generator. */

const query = (prompt: string): string => prompt.slice(prompt.lastIndexOf("\n") + 1).replace(/ (->|=)$/, "");

function binaryAlternation(prompt: string): string {
  const bits = query(prompt);
  // A swap puts one missing 1 and one missing 0 right: only the places that lack a 1 are counted.
  const needed = ["01", "10"].map((unit) => unit.repeat(bits.length).slice(0, bits.length)).filter((wanted) => wanted.split("1").length === bits.split("1").length)
    .map((wanted) => [...wanted].filter((bit, at) => bit === "1" && bits[at] === "0").length);
  return String(Math.min(...needed));
}

function baseConversion(prompt: string): string {
  const [, digits, from, to] = /^(\w+) base (\d+) to (\d+):$/.exec(query(prompt))!;
  const DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz";
  let value = 0n;
  for (const digit of digits) value = value * BigInt(from) + BigInt(DIGITS.indexOf(digit));
  let out = "";
  for (; value > 0n; value /= BigInt(to)) out = DIGITS[Number(value % BigInt(to))] + out;
  return out;
}

/** Reads sums of products of numbers and bracketed sums by recursive descent. */
function arithmetic(prompt: string): string {
  const tokens = query(prompt).match(/\d+|[-+*()]/g)!;
  let at = 0;
  const factor = (): number => {
    const token = tokens[at++];
    if (token !== "(") return Number(token);
    const value = sum();
    at++;
    return value;
  };
  const product = (): number => {
    let value = factor();
    while (tokens[at] === "*") {
      at++;
      value *= factor();
    }
    return value;
  };
  const sum = (): number => {
    let value = product();
    while (tokens[at] === "+" || tokens[at] === "-") value += tokens[at++] === "+" ? product() : -product();
    return value;
  };
  return String(sum());
}

function timeIntervals(prompt: string): string {
  const [start, end] = query(prompt).replace(/:$/, "").split(" to ").map((time) => {
    const [, day = "0", hours, minutes] = /^(?:day (\d+) )?(\d\d):(\d\d)$/.exec(time)!;
    return { hours: 24 * Number(day) + Number(hours), minutes: Number(minutes) };
  });
  const borrowed = end.minutes < start.minutes ? 1 : 0;
  return [end.hours - start.hours - borrowed, end.minutes - start.minutes + 60 * borrowed].map((n) => String(n).padStart(2, "0")).join(":");
}

function numberSequences(prompt: string): string {
  const list = query(prompt).split(",").filter(Boolean).map(Number);
  const differences = (numbers: number[]) => numbers.slice(1).map((n, k) => n - numbers[k]);
  const same = (numbers: number[]) => new Set(numbers).size === 1;
  const steps = differences(list);
  const found = new Set<number>();
  if (same(steps)) found.add(list.at(-1)! + steps[0]);
  if (same(list.slice(1).map((n, k) => n / list[k]))) found.add((list.at(-1)! * list[1]) / list[0]);
  if (steps.slice(1).join() === list.slice(0, -2).join()) found.add(list.at(-1)! + list.at(-2)!); // each step is the number before
  if (same(differences(steps))) found.add(list.at(-1)! + 2 * steps.at(-1)! - steps.at(-2)!);
  const [odd, even] = [0, 1].map((side) => steps.filter((_, k) => k % 2 === side));
  if (same(odd) && same(even)) found.add(list.at(-1)! + (steps.length % 2 === 0 ? odd[0] : even[0]));
  return [...found].join(" or ");
}

function objectCounting(prompt: string): string {
  const [listed, asked] = query(prompt).replace(/:$/, "").split(". ");
  return String([...listed.matchAll(new RegExp(`(\\d+) ${asked} `, "g"))].reduce((sum, [, n]) => sum + Number(n), 0));
}

export const numberSolvers = {
  binaryAlternation,
  baseConversion,
  chainSum: arithmetic,
  basicArithmetic: arithmetic,
  timeIntervals,
  numberSequences,
  objectCounting,
  countBits: (prompt: string): string => {
    let bits = 0;
    for (let n = BigInt(query(prompt)); n > 0n; n &= n - 1n) bits++; // drops the lowest one
    return String(bits);
  },
};
