import { ConfigError, DataError } from "@espalier/core";
import { type ClassificationItem, type ClassificationSet, madeUpFacts, madeUpPlacesChinese, sameOrDifferent } from "./classificationSets.ts";
import { fixedIndex } from "./fixedOrder.ts";
import { type Draw, defineTask, type Level, type Task } from "./task.ts";
import { ALPHANUMERIC, symbols, UPPER } from "./vocabulary.ts";

type SymbolKnobs = {
  /** Examples of each class before the query. */
  shotsPerClass: number;
  /** Length of a procedural item: symbols or facts; ignored for sets read from files. */
  length: number;
  /** Characters of a symbol between its angle brackets. */
  symbolLength: number;
  /** Alphabet of the symbols: `letters` (upper case) or `printable`, as `<30mFC%4Z>`. */
  alphabet: string;
  /** `symbols`, or the controls `real` (true labels) and `swapped` (true labels in each other's place). */
  labels: string;
};

const PRINTABLE = [...ALPHANUMERIC, ..."!#$%&*+?@^_~"];

function answersOf(set: ClassificationSet, knobs: SymbolKnobs, draw: Draw): string[] {
  if (knobs.labels === "real") return [...set.labels];
  if (knobs.labels === "swapped") return [...set.labels.slice(1), set.labels[0]];
  if (knobs.labels !== "symbols") {
    throw new ConfigError(`symbolMapping: labels is "${knobs.labels}", expected symbols, real or swapped.`);
  }
  const answers = new Set<string>();
  const alphabet = knobs.alphabet === "letters" ? UPPER : PRINTABLE;
  while (answers.size < set.labels.length) answers.add(`<${symbols(draw, knobs.symbolLength, alphabet).join("")}>`);
  return [...answers];
}

/** Query and shots, balanced over classes. Shots never equal the query or each other. */
function drawExamples(set: ClassificationSet, knobs: SymbolKnobs, draw: Draw): { query: ClassificationItem; shots: ClassificationItem[] } {
  const classes = set.labels.map((_, label) => label);
  if (set.kind === "procedural") {
    const make = (label: number) =>
      draw.example<ClassificationItem>(
        () => ({ label, text: set.draw(draw, label, knobs.length) }),
        ({ text }) => text,
      );
    const query = make(draw.integer(classes.length));
    const shots = classes.flatMap((label) => Array.from({ length: knobs.shotsPerClass }, () => make(label)));
    return { query, shots: draw.shuffle(shots) };
  }
  const query = set.items[fixedIndex(draw, set.name, set.items.length)];
  const shots = classes.flatMap((label) => {
    const others = set.items.filter((item) => item.label === label && item.text !== query.text);
    if (others.length < knobs.shotsPerClass) {
      throw new DataError(`symbolMapping: ${set.name} has ${others.length} items of class ${set.labels[label]} beside the query, ${knobs.shotsPerClass} shots expected. Supply more items or lower shotsPerClass.`);
    }
    return draw.sample(others, knobs.shotsPerClass);
  });
  return { query, shots: draw.shuffle(shots) };
}

const LEVELS: Record<Level, SymbolKnobs> = {
  tiny: { shotsPerClass: 3, length: 3, symbolLength: 2, alphabet: "letters", labels: "symbols" },
  small: { shotsPerClass: 3, length: 4, symbolLength: 4, alphabet: "letters", labels: "symbols" },
  paper: { shotsPerClass: 3, length: 6, symbolLength: 8, alphabet: "printable", labels: "symbols" },
  large: { shotsPerClass: 8, length: 8, symbolLength: 8, alphabet: "printable", labels: "symbols" },
};

export interface SymbolMappingOptions {
  id: string;
  title: string;
  /** Items of the paper's set. Default 300. */
  paperItems?: number;
  /** Knobs of the `tiny` level that differ, so that its prompts stay within 200 characters. */
  tiny?: Partial<SymbolKnobs>;
}

/**
 * Symbolic mapping over a classification set: every class label becomes a random string, the same within an item and
 * fresh for each item; the instruction names the allowed answers and balanced shots show the mapping.
 *
 * `labels: "real"` gives the same items with their true labels: the gap between both accuracies is the measure.
 *
 * @throws {DataError} when a set read from a file has a label outside its classes
 * @see arXiv 2309.03852, symbolic mapping; Wei et al. 2023, arXiv:2305.08298
 */
export function symbolMapping(set: ClassificationSet, { id, title, paperItems = 300, tiny }: SymbolMappingOptions): Task {
  if (set.kind === "fixed") {
    if (set.items.length === 0) throw new DataError(`symbolMapping: ${set.name} has no items, expected at least one. Check the file.`);
    const bad = set.items.findIndex(({ label }) => set.labels[label] === undefined);
    if (bad >= 0) {
      throw new DataError(`symbolMapping: ${set.name}: item ${bad + 1} has label ${set.items[bad].label}, expected 0 to ${set.labels.length - 1}. Check the file.`);
    }
  }
  const chance = 1 / set.labels.length;
  return defineTask<SymbolKnobs>({
    id,
    // Items of a file are few, and public: only procedural sets can keep some of theirs for private seeds.
    ...(set.kind === "procedural" ? { version: 2, earlier: [{ version: 1, privateApart: false }] } : { version: 1 }),
    title,
    group: "symbolic mapping",
    paperItems,
    levels: { ...LEVELS, tiny: { ...LEVELS.tiny, ...tiny } },
    chance: () => ({ exactMatch: chance, likelihood: chance }),
    build(knobs, draw) {
      const answers = answersOf(set, knobs, draw);
      const { query, shots } = drawExamples(set, knobs, draw);
      const listed = draw.shuffle(answers).join(" / ");
      const example = ({ text }: ClassificationItem) => `${text} ->`;
      return {
        prompt:
          `${set.instruction.replace("{labels}", () => listed)}\n` +
          shots.map((shot) => `${example(shot)} ${answers[shot.label]}\n`).join("") +
          example(query),
        target: answers[query.label],
        distractors: answers.filter((_, label) => label !== query.label),
        identity: query.text,
        meta: { set: set.name, label: query.label, shots: shots.length },
      };
    },
  });
}

/** English stand-in for SuperGLUE-IM at sizes that tiny models can read: are two strings the same? */
export const symbolMappingPairs = symbolMapping(sameOrDifferent, { id: "symbolMappingPairs", title: "Symbolic mapping (same or different)" });

/** English stand-in for SuperGLUE-IM in the form of BoolQ. */
export const symbolMappingFacts = symbolMapping(madeUpFacts, {
  id: "symbolMappingFacts",
  title: "Symbolic mapping (made-up facts)",
  paperItems: 299,
  tiny: { shotsPerClass: 1, length: 1 },
});

/** Stand-in for CLUE-IM: made-up places in Chinese. */
export const symbolMappingChinese = symbolMapping(madeUpPlacesChinese, {
  id: "symbolMappingChinese",
  title: "Symbolic mapping (Chinese places)",
  tiny: { shotsPerClass: 1, length: 1 },
});
