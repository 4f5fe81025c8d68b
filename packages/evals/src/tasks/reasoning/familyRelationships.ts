import { ConfigError } from "@espalier/core";
import { type ExampleKnobs, exampleTask } from "../examples.ts";
import { pseudoWords } from "../vocabulary.ts";

type FamilyKnobs = ExampleKnobs & {
  /** How many of the relations below are asked. */
  relations: number;
  /** Further children, whom no question needs. */
  others: number;
};

/** Steps up from the second person and then down to the first, and the word for a woman and a man. */
const RELATIONS: readonly { up: number; down: number; words: readonly [string, string] }[] = [
  { up: 1, down: 1, words: ["sister", "brother"] },
  { up: 2, down: 0, words: ["grandmother", "grandfather"] },
  { up: 0, down: 2, words: ["granddaughter", "grandson"] },
  { up: 2, down: 1, words: ["aunt", "uncle"] },
  { up: 1, down: 2, words: ["niece", "nephew"] },
  { up: 3, down: 0, words: ["great-grandmother", "great-grandfather"] },
];

interface Person {
  name: string;
  man: boolean;
}

/**
 * Family relations by composition: `Tam is the mother of Bir. Bir is the son of Kun. ...` Half-siblings count as siblings.
 * `Bir is the father of Tam. Tam is the mother of Zol. Bir is to Zol the` continues `grandfather`.
 */
export const familyRelationships = exampleTask<FamilyKnobs>({
  id: "familyRelationships",
  version: 2,
  earlier: [{ version: 1, privateApart: false }],
  title: "Family relationships",
  group: "reasoning",
  levels: {
    tiny: { relations: 2, others: 0, shots: 1 },
    small: { relations: 4, others: 1, shots: 2 },
    paper: { relations: 6, others: 4, shots: 3 },
    large: { relations: 6, others: 24, shots: 3 },
  },
  choices: ({ relations }) => Math.min(4, 2 * relations),
  guess: ({ relations }) => 1 / (2 * relations),
  make({ relations, others }, draw) {
    if (relations < 1 || relations > RELATIONS.length) {
      throw new ConfigError(`familyRelationships: relations is ${relations}, expected 1 to ${RELATIONS.length}.`);
    }
    const asked = RELATIONS.slice(0, relations);
    const { up, down, words } = draw.pick(asked);
    const people: Person[] = pseudoWords(draw, up + down + 1 + others, 1).map((word) => ({ name: word[0].toUpperCase() + word.slice(1), man: draw.integer(2) === 1 }));
    const title = ({ man }: Person, [woman, men]: readonly [string, string]) => (man ? men : woman);
    const parent = (a: Person, b: Person) => `${a.name} is the ${title(a, ["mother", "father"])} of ${b.name}.`;
    const child = (a: Person, b: Person) => `${b.name} is the ${title(b, ["daughter", "son"])} of ${a.name}.`;
    // The path runs from the second person up to the eldest and down to the first.
    const path = people.slice(0, up + down + 1);
    const first = path.at(-1)!;
    const facts = path.slice(1).map((person, k) => {
      const [older, younger] = k < up ? [person, path[k]] : [path[k], person];
      // Whoever is asked for must have his or her sex told.
      if (older === first) return parent(older, younger);
      if (younger === first) return child(older, younger);
      return draw.pick([parent, child])(older, younger);
    });
    for (let k = path.length; k < people.length; k++) facts.push(draw.pick([parent, child])(draw.pick(people.slice(0, k)), people[k]));
    const told = draw.shuffle(facts).join(" ");
    const answer = title(first, words);
    return {
      question: `${told} ${first.name} is to ${path[0].name} the`,
      answer,
      wrong: draw.shuffle(asked.flatMap((relation) => relation.words).filter((word) => word !== answer)),
      meta: { steps: up + down },
    };
  },
});
