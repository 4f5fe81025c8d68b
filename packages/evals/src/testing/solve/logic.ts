/** Solvers of the reasoning families over statements, each in another way than its generator. */

const query = (prompt: string): string => prompt.slice(prompt.lastIndexOf("\n") + 1).replace(/ ->$/, "");

type Clause = readonly string[];

const negated = (literal: string) => (literal.startsWith("not ") ? literal.slice(4) : `not ${literal}`);

function clausesOf(sentence: string): Clause[] {
  const parts = (pattern: RegExp) => pattern.exec(sentence)?.slice(1);
  const implication = parts(/^if (.+) then (.+)$/) ?? parts(/^(.+) only if (.+)$/);
  if (implication) return [[negated(implication[0]), implication[1]]];
  const exclusive = parts(/^either (.+) or (.+)$/);
  if (exclusive) return [exclusive, exclusive.map(negated)];
  const and = parts(/^(.+) and (.+)$/);
  if (and) return and.map((literal) => [literal]);
  return [parts(/^(.+) or (.+)$/) ?? [sentence]];
}

/** Whether the clauses can be true together: by splitting on the first literal of the shortest clause. */
function satisfiable(clauses: readonly Clause[]): boolean {
  if (clauses.length === 0) return true;
  const shortest = clauses.reduce((a, b) => (b.length < a.length ? b : a));
  if (shortest.length === 0) return false;
  const assume = (literal: string) => satisfiable(clauses.filter((clause) => !clause.includes(literal)).map((clause) => clause.filter((other) => other !== negated(literal))));
  return assume(shortest[0]) || (shortest.length > 1 && assume(negated(shortest[0])));
}

function propositionalLogic(prompt: string): string {
  const sentences = query(prompt).replace(/\?$/, "").split(". ");
  const asked = sentences.pop()!;
  const clauses = sentences.flatMap(clausesOf);
  if (!satisfiable([...clauses, [negated(asked)]])) return "yes";
  return satisfiable([...clauses, [asked]]) ? "unknown" : "no";
}

/** The fifteen moods that are valid where terms may be empty, by figure: subject and predicate of major and minor premise. */
const VALID = new Set("AAA1 EAE1 AII1 EIO1 EAE2 AEE2 EIO2 AOO2 AII3 IAI3 EIO3 OAO3 AEE4 IAI4 EIO4".split(" "));

function syllogisms(prompt: string): string {
  const read = (sentence: string) => {
    const [, word, subject, not, predicate] = /^(all|no|some) (\w+) are (not )?(\w+)$/.exec(sentence)!;
    return { mood: word === "all" ? "A" : word === "no" ? "E" : not ? "O" : "I", subject, predicate };
  };
  const [told, claim] = query(prompt).replace(/\?$/, "").split(". so ");
  const conclusion = read(claim);
  const premises = told.split(". ").map(read);
  const mentions = (term: string) => premises.find(({ subject, predicate }) => subject === term || predicate === term)!;
  const [major, minor] = [mentions(conclusion.predicate), mentions(conclusion.subject)];
  // Figure: where the middle term stands in the major and in the minor premise.
  const figure = major.predicate === conclusion.predicate ? (minor.subject === conclusion.subject ? 1 : 3) : minor.subject === conclusion.subject ? 2 : 4;
  return VALID.has(`${major.mood}${minor.mood}${conclusion.mood}${figure}`) ? "yes" : "no";
}

function knightsKnaves(prompt: string): string {
  const said = [...query(prompt).matchAll(/(\w+): ([^.]+)\./g)].map(([, name, statement]) => ({ name, words: statement.split(" ") }));
  const solutions: string[][] = [];
  // Person by person; a statement is checked as soon as all whom it names have a role.
  const assign = (roles: Readonly<Record<string, boolean>>, next: number): void => {
    for (const { name, words } of said) {
      const [a, second, third] = words;
      const known = second === "and" ? [name, a, third] : [name, a];
      if (known.some((person) => roles[person] === undefined)) continue;
      const truth = second === "and" ? (roles[a] === roles[third]) === (words[4] === "alike") : roles[a] === (second === "is");
      if (truth !== roles[name]) return;
    }
    if (next === said.length) solutions.push(said.map(({ name }) => (roles[name] ? "true" : "lies")));
    else for (const role of [true, false]) assign({ ...roles, [said[next].name]: role }, next + 1);
  };
  assign({}, 0);
  return solutions.map((roles) => roles.join(", ")).join(" or ");
}

function booleanExpressions(prompt: string): string {
  let text = query(prompt).replace(/ is$/, "").replaceAll("True", "1").replaceAll("False", "0");
  for (let before = ""; before !== text; ) {
    before = text;
    text = text
      .replace(/\(([01])\)/, "$1")
      .replace(/not ([01])/, (_, bit: string) => String(1 - Number(bit)));
    if (text !== before) continue;
    text = text.replace(/([01]) and ([01])/, (_, a: string, b: string) => String(Number(a) & Number(b)));
    if (text !== before) continue;
    // Nothing binds more strongly within the same brackets.
    text = text.replace(/(^|\()([01]) or ([01])(?= or|\)|$)/, (_, open: string, a: string, b: string) => open + String(Number(a) | Number(b)));
  }
  return text === "1" ? "True" : "False";
}

export const logicSolvers = { propositionalLogic, syllogisms, knightsKnaves, booleanExpressions };
