import { defineTask } from "../task.ts";
import { type NeedleKnobs, needleItem } from "./needles.ts";

/**
 * Several names asked at once: their codes in the order of the question.
 *
 * @see Hsieh et al. 2024, RULER, arXiv:2404.06654; wording ours
 */
export const needleMultiQuery = defineTask<NeedleKnobs>({
  id: "needleMultiQuery",
  version: 2,
  earlier: [{ version: 1, privateApart: false }],
  title: "Needles of several keys",
  group: "retrieval by length",
  paperItems: 100,
  levels: {
    tiny: { length: 110, depth: -1, keys: 3, values: 1, queries: 2, filler: "sentences", form: "numbers", digits: 2 },
    small: { length: 500, depth: -1, keys: 4, values: 1, queries: 3, filler: "sentences", form: "numbers", digits: 3 },
    paper: { length: 4000, depth: -1, keys: 8, values: 1, queries: 4, filler: "sentences", form: "numbers", digits: 7 },
    large: { length: 16000, depth: -1, keys: 8, values: 1, queries: 4, filler: "needles", form: "hex", digits: 7 },
  },
  chance: () => ({ exactMatch: 0, likelihood: 1 / 4 }),
  build: needleItem,
});
