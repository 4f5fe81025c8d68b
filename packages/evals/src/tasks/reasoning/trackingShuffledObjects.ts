import { type ExampleKnobs, exampleTask } from "../examples.ts";
import { pseudoWords } from "../vocabulary.ts";

type TrackingKnobs = ExampleKnobs & { people: number; swaps: number };

/** Who holds what after swaps: `Tam has kun. Zol has bir. Tam and Zol swap. Tam has` continues `bir`. */
export const trackingShuffledObjects = exampleTask<TrackingKnobs>({
  id: "trackingShuffledObjects",
  version: 2,
  earlier: [{ version: 1, privateApart: false }],
  title: "Tracking shuffled objects",
  group: "reasoning",
  levels: {
    tiny: { people: 2, swaps: 2, shots: 1 },
    small: { people: 3, swaps: 3, shots: 2 },
    paper: { people: 5, swaps: 5, shots: 2 },
    large: { people: 12, swaps: 30, shots: 2 },
  },
  choices: ({ people }) => people,
  guess: ({ people }) => 1 / people,
  make({ people, swaps }, draw) {
    const words = pseudoWords(draw, 2 * people, 1);
    const names = words.slice(0, people).map((word) => word[0].toUpperCase() + word.slice(1));
    const holds = words.slice(people);
    const told = names.map((name, k) => `${name} has ${holds[k]}.`);
    for (let swap = 0; swap < swaps; swap++) {
      // With two people a swap that may not happen keeps the last statement from telling all.
      if (people === 2 && draw.integer(2) === 0) {
        told.push(`${names[0]} and ${names[1]} meet.`);
        continue;
      }
      const [a, b] = draw.sample(names.map((_, k) => k), 2);
      [holds[a], holds[b]] = [holds[b], holds[a]];
      told.push(`${names[a]} and ${names[b]} swap.`);
    }
    const asked = draw.integer(people);
    return { question: `${told.join(" ")} ${names[asked]} has`, answer: holds[asked], wrong: words.slice(people) };
  },
});
