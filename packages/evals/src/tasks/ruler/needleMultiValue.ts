import { defineTask } from "../task.ts";
import { type NeedleKnobs, needleItem } from "./needles.ts";

/**
 * One name with several codes: all are asked, in the order of the text.
 *
 * @see Hsieh et al. 2024, RULER, arXiv:2404.06654; wording ours
 */
export const needleMultiValue = defineTask<NeedleKnobs>({
  id: "needleMultiValue",
  version: 2,
  earlier: [{ version: 1, privateApart: false }],
  title: "Needles of one key",
  group: "retrieval by length",
  paperItems: 100,
  levels: {
    tiny: { length: 110, depth: -1, keys: 2, values: 2, queries: 1, filler: "sentences", form: "numbers", digits: 2 },
    small: { length: 500, depth: -1, keys: 2, values: 3, queries: 1, filler: "sentences", form: "numbers", digits: 3 },
    paper: { length: 4000, depth: -1, keys: 4, values: 4, queries: 1, filler: "sentences", form: "numbers", digits: 7 },
    large: { length: 16000, depth: -1, keys: 4, values: 4, queries: 1, filler: "needles", form: "hex", digits: 7 },
  },
  chance: () => ({ exactMatch: 0, likelihood: 1 / 4 }),
  build: needleItem,
});
