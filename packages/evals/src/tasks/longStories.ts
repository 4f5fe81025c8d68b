/**
 * Supporting facts hidden in long text: the stories of `stories.ts` with their statements scattered, in order, among
 * sentences about other things.
 *
 * @see Kuratov et al. 2024, BABILong, arXiv:2406.10149; Weston et al. 2015, arXiv:1502.05698; wording ours
 */

import { DataError } from "@espalier/core";
import { haystack, nonsense } from "./ruler/haystack.ts";
import { tellMoveStory, tellObjectStory, VOCABULARY_SIZE } from "./stories.ts";
import { type Draw, defineTask, type Knobs, type Task } from "./task.ts";
import { worldVocabulary } from "./vocabulary.ts";

type LongStoryKnobs = Knobs & {
  /** Code points of the text. */
  length: number;
  actors: number;
  places: number;
  /** Things that are carried; ignored with one supporting fact. */
  objects: number;
  /** Statements of the story. */
  statements: number;
};

export interface LongStoryOptions {
  id: string;
  title: string;
  /** Statements that the answer needs: who moved (1), or who carried what and then moved (2). */
  facts: 1 | 2;
  /** Sentences to hide the story in, taken in order from a random one; they must not speak of the world. Default: made-up ones. */
  sentences?: readonly string[];
}

/** Filler that names nothing of the world, so that every mention of a place is a fact. */
function fillerFor(draw: Draw, world: ReadonlySet<string>, sentences: readonly string[] | undefined): (draw: Draw) => string {
  if (sentences === undefined) {
    return () => {
      for (;;) {
        const sentence = nonsense(draw);
        if (!sentence.split(/[ .]/).some((word) => world.has(word.toLowerCase()))) return sentence;
      }
    };
  }
  let next = draw.integer(sentences.length);
  return () => sentences[next++ % sentences.length];
}

/**
 * A task of stories in long text. Accuracy against `length` shows how far a model can read.
 *
 * @throws {DataError} for an empty list of sentences
 */
export function longStory({ id, title, facts, sentences }: LongStoryOptions): Task {
  if (sentences?.length === 0) throw new DataError(`longStory: ${id} has no sentences, expected at least one. Leave them out for made-up ones.`);
  return defineTask<LongStoryKnobs>({
    id,
    version: 2,
    earlier: [{ version: 1, privateApart: false }],
    title,
    group: "retrieval by length",
    paperItems: 100,
    levels: {
      tiny: { length: 160, actors: 2, places: 3, objects: 1, statements: 3 },
      small: { length: 600, actors: 3, places: 4, objects: 2, statements: 6 },
      paper: { length: 4000, actors: 4, places: 6, objects: 3, statements: 14 },
      large: { length: 16000, actors: 6, places: 10, objects: 6, statements: 50 },
    },
    chance: ({ places }) => ({ exactMatch: 1 / places, likelihood: 1 / places }),
    build({ length, actors, places, objects, statements }, draw) {
      const vocabulary = worldVocabulary(draw.seed, VOCABULARY_SIZE);
      const names = draw.sample(vocabulary.names, actors);
      const rooms = draw.sample(vocabulary.places, places);
      const things = draw.sample(vocabulary.objects, objects);
      const story = draw.example(
        () => (facts === 1 ? tellMoveStory(draw, names, rooms, statements) : tellObjectStory(draw, names, rooms, things, statements)),
        (told) => `${told.statements.join(" ")} ${told.question}`,
      );
      const world = new Set([...vocabulary.names, ...vocabulary.places, ...vocabulary.objects].map((word) => word.toLowerCase()));
      const { text } = haystack(draw, { facts: story.statements, length, filler: fillerFor(draw, world, sentences) });
      return {
        prompt: `${text}\n${story.question}`,
        target: story.answer,
        distractors: rooms.filter((room) => room !== story.answer),
        identity: `${story.statements.join(" ")} ${story.question}`,
        meta: { length, statements, distance: story.distance },
      };
    },
  });
}

/** One supporting fact in long text. */
export const oneFactInText = longStory({ id: "oneFactInText", title: "One fact in long text", facts: 1 });
/** Two supporting facts in long text. */
export const twoFactsInText = longStory({ id: "twoFactsInText", title: "Two facts in long text", facts: 2 });
