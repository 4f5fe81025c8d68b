/** Solvers of the retrieval families and of stories in long text; they share no code with the generators. */

const split = (prompt: string): [text: string, question: string] => {
  const at = prompt.lastIndexOf("\n");
  return [prompt.slice(0, at), prompt.slice(at + 1)];
};

function needles(prompt: string): string {
  const [text, question] = split(prompt);
  const names = /^The codes? of (.+) (?:is|are)$/.exec(question)![1].split(", ");
  const known: Record<string, string[]> = {};
  for (const sentence of text.split(/(?<=\.) /)) {
    const words = sentence.slice(0, -1).split(" ");
    if (words[1] === "code") (known[words[3]] ??= []).push(words[5]);
  }
  return names.flatMap((name) => known[name]).join(", ");
}

function variableTracking(prompt: string): string {
  const [text, question] = split(prompt);
  const wanted = /\d+/.exec(question)![0];
  const value = new Map<string, string>();
  for (const [, name, source] of text.matchAll(/set (\w+) = (\w+)\./g)) value.set(name, value.get(source) ?? source);
  return [...value].filter(([, number]) => number === wanted).map(([name]) => name).join(", ");
}

/** Words by falling count; equal counts by alphabet. */
function counted(text: string): [string, number][] {
  const counts: Record<string, number> = {};
  for (const word of text.split(" ")) counts[word] = (counts[word] ?? 0) + 1;
  return Object.entries(counts).sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
}

function topWords(prompt: string): string[] {
  const [text, question] = split(prompt);
  return counted(text).slice(0, Number(/\d+/.exec(question)![0])).map(([word]) => word);
}

export const retrievalSolvers = {
  needleSingle: needles,
  needleMultiKey: needles,
  needleMultiValue: needles,
  needleMultiQuery: needles,
  variableTracking,
  commonWords: (prompt: string): string => topWords(prompt).sort().join(", "),
  frequentWords: (prompt: string): string => topWords(prompt).join(", "),
};

/** Reads a story forwards with a state: where everyone is, and who holds what. */
function story(prompt: string): string {
  const [text, question] = split(prompt);
  const place: Record<string, string> = {};
  const holder: Record<string, string | undefined> = {};
  for (const sentence of text.split(/(?<=\.) /)) {
    const moved = /^(\w+) (?:went|moved) to the (\w+)\.$/.exec(sentence);
    const got = /^(\w+) got the (\w+)\.$/.exec(sentence);
    const dropped = /^(\w+) dropped the (\w+)\.$/.exec(sentence);
    if (moved) place[moved[1]] = moved[2];
    if (got) holder[got[2]] = got[1];
    if (dropped) {
      holder[dropped[2]] = undefined;
      place[dropped[2]] = place[dropped[1]];
    }
  }
  const [, asked] = /^Where is (?:the )?(\w+)\?$/.exec(question)!;
  return place[holder[asked] ?? asked];
}

export const longStorySolvers = { oneFactInText: story, twoFactsInText: story };
