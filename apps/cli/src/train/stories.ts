import { random } from "@espalier/core";

const NAMES = [["Ada", "she", "her"], ["Tom", "he", "his"], ["Mira", "she", "her"], ["Jo", "he", "his"], ["Lin", "she", "her"], ["Otto", "he", "his"], ["Vera", "she", "her"], ["Sam", "he", "his"]] as const;
const PLANTS = ["pear tree", "apple tree", "rose", "vine", "plum tree", "fig tree", "quince", "hazel"];
const PLACES = ["by the wall", "behind the shed", "near the pond", "along the path", "under the window", "beside the gate"];
const WEATHER = ["It rained for three days.", "The sun was out again.", "A cold wind came from the north.", "The night was clear and quiet.", "Fog lay over the garden.", "It was the first warm morning of the year."];
const TOOLS = ["a ladder", "a saw", "a basket", "some string", "a bucket of water", "a sharp knife"];
const FINDS = ["a nest with four eggs", "a snail on every leaf", "one red apple in the grass", "a letter under a stone", "a cat asleep in the basket", "the first green leaf"];
const ENDS = ["Then they went in and drank tea.", "In spring it had new leaves.", "That was enough for one day.", "And nobody forgot to close the gate again.", "The next year there was more fruit than ever."];
const NUMBERS = ["two", "three", "four", "five", "six", "seven"];

/**
 * Little stories of a garden made by a grammar: text that a small model learns in a minute, equal for equal seeds.
 * Each is about two people, a plant and a tool that stay the same throughout, so that there is something to remember.
 *
 * @param count stories
 */
export function* stories(count: number, seed = 1): Generator<string> {
  const draw = random(seed, "example stories").sequence();
  const of = <T>(list: readonly T[]): T => list[draw.integer(list.length)]!;
  for (let i = 0; i < count; i++) {
    const [name, who, whose] = of(NAMES);
    const [friend] = of(NAMES.filter(([other]) => other !== name));
    const [plant, place, tool, number] = [of(PLANTS), of(PLACES), of(TOOLS), of(NUMBERS)];
    const begin = of([
      `${name} had a ${plant} ${place}.`,
      `There was a ${plant} ${place}, and ${name} looked after it.`,
      `One day ${name} planted a ${plant} ${place}.`,
    ]);
    const middle = of([
      `${name} took ${tool} and cut away ${number} branches of the ${plant}.`,
      `${friend} came with ${tool}, and ${name} showed ${friend} the ${plant}.`,
      `"May I help?" said ${friend}. "Yes," said ${name}, "bring ${tool}."`,
      `${name} asked ${friend} for ${tool}, but ${friend} had none, so ${who} used ${whose} hands.`,
    ]);
    const turn = of([
      `Under the ${plant} ${who} found ${of(FINDS)}.`,
      `"Look," said ${friend}, "there is ${of(FINDS)}!"`,
      `${name} counted ${number} buds on the ${plant} and told ${friend}.`,
      `${name} tied the ${plant} to ${number} wires and waited.`,
    ]);
    yield [begin, of(WEATHER), middle, turn, of(ENDS)].join(" ");
  }
}
