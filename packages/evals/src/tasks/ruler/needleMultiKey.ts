import { defineTask } from "../task.ts";
import { type NeedleKnobs, needleItem } from "./needles.ts";

/**
 * Several needles of which one is asked; at level `large` the haystack itself is made of needles.
 *
 * @see Hsieh et al. 2024, RULER, arXiv:2404.06654; wording ours
 */
export const needleMultiKey = defineTask<NeedleKnobs>({
  id: "needleMultiKey",
  version: 2,
  earlier: [{ version: 1, privateApart: false }],
  title: "Needle among keys",
  group: "retrieval by length",
  paperItems: 100,
  levels: {
    tiny: { length: 110, depth: -1, keys: 3, values: 1, queries: 1, filler: "sentences", form: "numbers", digits: 2 },
    small: { length: 500, depth: -1, keys: 4, values: 1, queries: 1, filler: "sentences", form: "numbers", digits: 3 },
    paper: { length: 4000, depth: -1, keys: 4, values: 1, queries: 1, filler: "sentences", form: "numbers", digits: 7 },
    large: { length: 16000, depth: -1, keys: 4, values: 1, queries: 1, filler: "needles", form: "hex", digits: 7 },
  },
  chance: ({ keys }) => ({ exactMatch: 1 / keys, likelihood: 1 / 4 }),
  build: needleItem,
});
