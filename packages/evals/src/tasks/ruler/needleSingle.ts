import { defineTask } from "../task.ts";
import { type NeedleKnobs, needleItem } from "./needles.ts";

/**
 * One needle in a haystack: a named code among filler, by length and depth.
 *
 * @see Hsieh et al. 2024, RULER, arXiv:2404.06654; wording ours
 */
export const needleSingle = defineTask<NeedleKnobs>({
  id: "needleSingle",
  version: 2,
  earlier: [{ version: 1, privateApart: false }],
  title: "Single needle",
  group: "retrieval by length",
  paperItems: 100,
  levels: {
    tiny: { length: 110, depth: -1, keys: 1, values: 1, queries: 1, filler: "sentences", form: "numbers", digits: 2 },
    small: { length: 500, depth: -1, keys: 1, values: 1, queries: 1, filler: "sentences", form: "numbers", digits: 3 },
    paper: { length: 4000, depth: -1, keys: 1, values: 1, queries: 1, filler: "noise", form: "numbers", digits: 7 },
    large: { length: 16000, depth: -1, keys: 1, values: 1, queries: 1, filler: "sentences", form: "hex", digits: 7 },
  },
  chance: () => ({ exactMatch: 0, likelihood: 1 / 4 }),
  build: needleItem,
});
