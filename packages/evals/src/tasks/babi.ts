/** The published bAbI files as tasks: the comparable variant of the generated stories. */

import { DataError } from "@espalier/core";
import { fixedIndex } from "./fixedOrder.ts";
import { defineTask, type Task } from "./task.ts";

export interface BabiQuestion {
  /** Statements before the question, earlier questions left out. */
  statements: readonly string[];
  question: string;
  answer: string;
}

/**
 * Questions of a bAbI file (`1 Mary moved to the bathroom.`, `3 Where is Mary? <tab>bathroom<tab>1`). CC BY 3.0; not
 * shipped.
 *
 * @throws {DataError} naming the line that is neither statement nor question
 * @see Weston et al. 2015, arXiv:1502.05698
 */
export function readBabi(text: string): BabiQuestion[] {
  const questions: BabiQuestion[] = [];
  let statements: string[] = [];
  for (const [n, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    const [, number, sentence, answer] = /^(\d+) ([^\t]+?) *(?:\t([^\t]+)(?:\t.*)?)?$/.exec(line.trimEnd()) ?? [];
    if (sentence === undefined) {
      throw new DataError(`readBabi: line ${n + 1} is "${line.slice(0, 60)}", expected a number and a sentence. Check the file.`);
    }
    if (number === "1") statements = [];
    if (answer === undefined) statements.push(sentence);
    else questions.push({ statements: [...statements], question: sentence, answer });
  }
  if (questions.length === 0) throw new DataError("readBabi: no questions, expected at least one. Check the file.");
  return questions;
}

type BabiKnobs = { shots: number };

export interface BabiTaskOptions {
  id: string;
  title: string;
  /** Questions that shots are drawn from, e.g. of the training file. Default: the other questions of the set. */
  shotsFrom?: readonly BabiQuestion[];
}

const write = ({ statements, question }: BabiQuestion): string => `${statements.join("\n")}\n${question}`;

/**
 * Questions of a bAbI file in free generation, three-shot at level `paper`. Choices are all answers of the file.
 *
 * @see arXiv 2309.03852, anti-interference: 300 questions a task
 */
export function babiTask(questions: readonly BabiQuestion[], { id, title, shotsFrom = questions }: BabiTaskOptions): Task {
  const answers = [...new Set(questions.map(({ answer }) => answer))].sort();
  const chance = 1 / answers.length;
  return defineTask<BabiKnobs>({
    id,
    version: 1,
    title,
    group: "anti-interference",
    paperItems: 300,
    levels: { tiny: { shots: 0 }, small: { shots: 1 }, paper: { shots: 3 }, large: { shots: 8 } },
    chance: () => ({ exactMatch: chance, likelihood: chance }),
    build({ shots }, draw) {
      const query = questions[fixedIndex(draw, id, questions.length)];
      const others = shotsFrom.filter((shot) => write(shot) !== write(query));
      const examples = draw.sample(others, shots);
      return {
        prompt: examples.map((shot) => `${write(shot)} ${shot.answer}\n\n`).join("") + write(query),
        target: query.answer,
        distractors: answers.filter((answer) => answer !== query.answer),
        identity: write(query),
        meta: { statements: query.statements.length, shots },
      };
    },
  });
}
