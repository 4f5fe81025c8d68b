/** The line of a prompt that tells items apart: the last that is not only a label such as `Answer:`. */
export function askedLine(prompt: string): string {
  const lines = prompt.split("\n").map((line) => line.trim()).filter(Boolean);
  return lines.findLast((line) => !/^[^:：\d]{0,24}[:：]$/.test(line)) ?? lines.at(-1) ?? "";
}
