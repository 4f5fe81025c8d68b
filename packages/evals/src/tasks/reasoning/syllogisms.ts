import { type ExampleKnobs, exampleTask } from "../examples.ts";
import { pseudoWords } from "../vocabulary.ts";

type SyllogismKnobs = ExampleKnobs & { syllables: number; /** Premises about other things in between. */ others: number };

const FORMS = ["all", "no", "some", "some not"] as const;
type Form = (typeof FORMS)[number];

const sentence = (form: Form, subject: string, predicate: string) =>
  form === "some not" ? `some ${subject} are not ${predicate}` : `${form} ${subject} are ${predicate}`;

/**
 * Whether a statement about terms a and b (bits of a region) holds in a world: `world` has bit r where region r of the
 * Venn diagram of three terms has a member.
 */
function holds(form: Form, a: number, b: number, world: number): boolean {
  for (let region = 0; region < 8; region++) {
    if (((world >> region) & 1) === 0 || ((region >> a) & 1) === 0) continue;
    const inB = ((region >> b) & 1) === 1;
    if (form === "all" && !inB) return false;
    if (form === "no" && inB) return false;
    if ((form === "some" && inB) || (form === "some not" && !inB)) return true;
  }
  return form === "all" || form === "no";
}

interface Argument {
  major: Form;
  minor: Form;
  conclusion: Form;
  /** Terms of the sentences: 0 and 2 are those of the conclusion, 1 is in the middle. */
  first: readonly [number, number];
  second: readonly [number, number];
  end: readonly [number, number];
}

const isValid = ({ major, minor, conclusion, first, second, end }: Argument): boolean => {
  for (let world = 0; world < 256; world++) {
    if (holds(major, ...first, world) && holds(minor, ...second, world) && !holds(conclusion, ...end, world)) return false;
  }
  return true;
};

const ARGUMENTS: readonly Argument[] = FORMS.flatMap((major) =>
  FORMS.flatMap((minor) =>
    FORMS.flatMap((conclusion) =>
      ([[0, 1], [1, 0]] as const).flatMap((first) =>
        ([[1, 2], [2, 1]] as const).flatMap((second) => ([[0, 2], [2, 0]] as const).map((end) => ({ major, minor, conclusion, first, second, end }))),
      ),
    ),
  ),
);

let sorted: { valid: Argument[]; invalid: Argument[] } | undefined;
/** The 512 arguments by validity, worked out once. */
const bySide = () => (sorted ??= { valid: ARGUMENTS.filter(isValid), invalid: ARGUMENTS.filter((argument) => !isValid(argument)) });

/**
 * Syllogisms: `all tam are zol. no zol are bir. so no tam are bir?` continues `yes`. A conclusion is valid when it holds in
 * every world where the premises do; terms may be empty, so that `all` does not imply `some`.
 */
export const syllogisms = exampleTask<SyllogismKnobs>({
  id: "syllogisms",
  version: 2,
  earlier: [{ version: 1, privateApart: false }],
  title: "Syllogisms",
  group: "reasoning",
  levels: {
    tiny: { syllables: 1, others: 0, shots: 2 },
    small: { syllables: 1, others: 0, shots: 4 },
    paper: { syllables: 2, others: 2, shots: 4 },
    large: { syllables: 3, others: 12, shots: 4 },
  },
  choices: () => 2,
  guess: () => 1 / 2,
  make({ syllables, others }, draw) {
    const names = pseudoWords(draw, 3 + 2 * others, syllables);
    const valid = draw.integer(2) === 1;
    const drawn = draw.pick(valid ? bySide().valid : bySide().invalid);
    const say = (form: Form, [a, b]: readonly [number, number]) => sentence(form, names[a], names[b]);
    const premises = [say(drawn.major, drawn.first), say(drawn.minor, drawn.second)];
    for (let k = 0; k < others; k++) premises.push(sentence(draw.pick(FORMS), names[3 + 2 * k], names[4 + 2 * k]));
    return {
      question: `${draw.shuffle(premises).join(". ")}. so ${say(drawn.conclusion, drawn.end)}?`,
      answer: valid ? "yes" : "no",
      wrong: ["yes", "no"],
    };
  },
});
