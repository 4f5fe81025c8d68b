import { type ExampleKnobs, exampleTask } from "../examples.ts";

type TimeKnobs = ExampleKnobs & { /** Days between the two times at most. */ days: number };

const two = (n: number) => String(n).padStart(2, "0");
const clock = (minutes: number) => `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;

/** Hours and minutes between two times: `day 1 22:10 to day 2 01:05:` continues `02:55`. */
export const timeIntervals = exampleTask<TimeKnobs>({
  id: "timeIntervals",
  version: 2,
  earlier: [{ version: 1, privateApart: false }],
  title: "Time intervals",
  group: "reasoning",
  levels: {
    tiny: { days: 0, shots: 3 },
    small: { days: 1, shots: 3 },
    paper: { days: 3, shots: 3 },
    large: { days: 40, shots: 3 },
  },
  make({ days }, draw) {
    const DAY = 24 * 60;
    const start = draw.integer(DAY - 1); // 23:59 has no later minute in its day
    const first = days === 0 ? 0 : draw.between(1, 9);
    const span = draw.between(1, (days + 1) * DAY - 1 - start);
    const end = start + span;
    const day = (n: number) => (days === 0 ? "" : `day ${n} `);
    return {
      question: `${day(first)}${clock(start)} to ${day(first + Math.floor(end / DAY))}${clock(end % DAY)}:`,
      answer: clock(span),
      wrong: () => clock(Math.max(0, span + draw.pick([-60, -40, -10, -1, 1, 10, 40, 60]))),
    };
  },
});
