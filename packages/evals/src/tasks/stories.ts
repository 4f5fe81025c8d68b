/**
 * Supporting-fact stories: the worlds of bAbI tasks 1 and 2, re-implemented with a vocabulary drawn per seed.
 *
 * As in the bAbI simulator, task 1 draws valid moves and asks where an actor is who has moved; task 2 draws moves, gets
 * and drops and asks for an object whose place is known to the reader.
 *
 * @see Weston et al. 2015, arXiv:1502.05698; logic of `WhereIsActor` and `WhereIsObject` (facebookarchive/bAbI-tasks, BSD)
 */

import { type Draw, type Draft, defineTask } from "./task.ts";
import { worldVocabulary } from "./vocabulary.ts";

type StoryKnobs = {
  actors: number;
  places: number;
  /** Statements before the question. */
  statements: number;
  shots: number;
};
type ObjectKnobs = StoryKnobs & { objects: number };

export interface Story {
  statements: string[];
  question: string;
  answer: string;
  /** Number of statements after the last supporting fact. */
  distance: number;
}

const write = ({ statements, question }: Story): string => `${statements.join("\n")}\n${question}`;

/** Shots and query, each a story of its own, separated by an empty line. */
function storyItem(draw: Draw, shots: number, places: readonly string[], tell: () => Story): Draft {
  const examples = Array.from({ length: shots + 1 }, () => draw.example(tell, write));
  const query = examples.pop()!;
  return {
    prompt: examples.map((story) => `${write(story)} ${story.answer}\n\n`).join("") + write(query),
    target: query.answer,
    distractors: places.filter((place) => place !== query.answer),
    identity: write(query),
    meta: { statements: query.statements.length, distance: query.distance, shots },
  };
}

export const VOCABULARY_SIZE = 12;

/** Single Supporting Fact: one statement settles where the actor is. */
export const singleSupportingFact = defineTask<StoryKnobs>({
  id: "singleSupportingFact",
  version: 2,
  earlier: [{ version: 1, privateApart: false }],
  title: "Single Supporting Fact",
  group: "anti-interference",
  paperItems: 300,
  levels: {
    tiny: { actors: 3, places: 3, statements: 3, shots: 1 },
    small: { actors: 4, places: 4, statements: 5, shots: 2 },
    paper: { actors: 4, places: 6, statements: 10, shots: 3 },
    large: { actors: 8, places: 10, statements: 40, shots: 3 },
  },
  chance: ({ places }) => ({ exactMatch: 1 / places, likelihood: 1 / places }),
  build({ actors, places, statements, shots }, draw) {
    const vocabulary = worldVocabulary(draw.seed, VOCABULARY_SIZE);
    const names = draw.sample(vocabulary.names, actors);
    const rooms = draw.sample(vocabulary.places, places);
    return storyItem(draw, shots, rooms, () => tellMoveStory(draw, names, rooms, statements));
  },
});

/** Simulates valid moves and asks for an actor who has moved. */
export function tellMoveStory(draw: Draw, names: readonly string[], rooms: readonly string[], statements: number): Story {
  const at = new Map<string, { room: string; line: number }>();
  const lines: string[] = [];
  while (lines.length < statements) {
    const name = draw.pick(names);
    const room = draw.pick(rooms);
    if (at.get(name)?.room === room) continue; // a move that goes nowhere is not valid
    at.set(name, { room, line: lines.length });
    lines.push(`${name} ${draw.pick(["went to", "moved to"])} the ${room}.`);
  }
  const asked = draw.pick([...at.keys()]);
  const { room, line } = at.get(asked)!;
  return { statements: lines, question: `Where is ${asked}?`, answer: room, distance: statements - 1 - line };
}

/** Two Supporting Facts: who holds (or dropped) the object, and where that actor was. */
export const twoSupportingFacts = defineTask<ObjectKnobs>({
  id: "twoSupportingFacts",
  version: 2,
  earlier: [{ version: 1, privateApart: false }],
  title: "Two Supporting Facts",
  group: "anti-interference",
  paperItems: 300,
  levels: {
    tiny: { actors: 2, places: 3, objects: 1, statements: 3, shots: 1 },
    small: { actors: 3, places: 4, objects: 2, statements: 6, shots: 2 },
    paper: { actors: 4, places: 6, objects: 3, statements: 14, shots: 3 },
    large: { actors: 6, places: 10, objects: 6, statements: 50, shots: 3 },
  },
  chance: ({ places }) => ({ exactMatch: 1 / places, likelihood: 1 / places }),
  build({ actors, places, objects, statements, shots }, draw) {
    const vocabulary = worldVocabulary(draw.seed, VOCABULARY_SIZE);
    const names = draw.sample(vocabulary.names, actors);
    const rooms = draw.sample(vocabulary.places, places);
    const things = draw.sample(vocabulary.objects, objects);
    return storyItem(draw, shots, rooms, () => tellObjectStory(draw, names, rooms, things, statements));
  },
});

/** Simulates moves, gets and drops until an object that was handled is at a place the reader can name. */
export function tellObjectStory(draw: Draw, names: readonly string[], rooms: readonly string[], things: readonly string[], statements: number): Story {
  for (;;) {
    // True places exist from the start; the reader knows an actor's place only after a move.
    const actorAt = new Map(names.map((name) => [name, draw.pick(rooms)]));
    const thingAt = new Map(things.map((thing) => [thing, draw.pick(rooms)]));
    const heldBy = new Map<string, { name: string; line: number }>();
    const movedIn = new Map<string, number>();
    const settledIn = new Map<string, { room: string; line: number }>();
    const lines: string[] = [];
    while (lines.length < statements) {
      const name = draw.pick(names);
      const action = draw.pick(["move", "get", "drop"]);
      const here = actorAt.get(name)!;
      if (action === "move") {
        const room = draw.pick(rooms);
        if (room === here) continue;
        actorAt.set(name, room);
        movedIn.set(name, lines.length);
        lines.push(`${name} ${draw.pick(["went to", "moved to"])} the ${room}.`);
      } else if (action === "get") {
        const thing = draw.pick(things);
        if (heldBy.has(thing) || thingAt.get(thing) !== here) continue;
        heldBy.set(thing, { name, line: lines.length });
        settledIn.delete(thing);
        lines.push(`${name} got the ${thing}.`);
      } else {
        const held = things.filter((thing) => heldBy.get(thing)?.name === name);
        if (held.length === 0) continue;
        const thing = draw.pick(held);
        heldBy.delete(thing);
        thingAt.set(thing, here);
        if (movedIn.has(name)) settledIn.set(thing, { room: here, line: lines.length });
        lines.push(`${name} dropped the ${thing}.`);
      }
    }
    for (const [thing, { name, line }] of heldBy) {
      const moved = movedIn.get(name);
      if (moved !== undefined) settledIn.set(thing, { room: actorAt.get(name)!, line: Math.max(line, moved) });
    }
    if (settledIn.size === 0) continue;
    const asked = draw.pick(things.filter((thing) => settledIn.has(thing)));
    const { room, line } = settledIn.get(asked)!;
    return { statements: lines, question: `Where is the ${asked}?`, answer: room, distance: statements - 1 - line };
  }
}
