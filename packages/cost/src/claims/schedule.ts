import { growthCurveSaving } from "../laws/linearGrowth.ts";
import { batchTokens, totalDays, totalTokensB } from "../paper/quantities.ts";
import type { PaperTables } from "../paper/tables.ts";
import { asPrinted, propagateRounding, valueOf } from "../printed.ts";
import { type ArithmeticClaim, claim, verdictOn, weakest } from "./row.ts";

/** Optimiser steps are planned in hundreds: the printed tokens follow from steps rounded to this. */
const STEP_GRAIN = 100;

function days(tables: PaperTables): ArithmeticClaim {
  const { value, interval } = totalDays(tables);
  return claim({
    id: "schedule.days",
    paper: `${tables.stages.map((stage) => stage.days).join(" + ")} = ${tables.schedule.totalDays} days`,
    measured: `${value.toFixed(2)} days`,
    interval,
    verdict: verdictOn(value, tables.schedule.totalDays, interval),
    why: "The sum of the stages.",
    derivation: {
      formula: "sum of days",
      inputs: tables.stages.map((stage) => ({ name: stage.name, value: stage.days, source: "Table 1" })),
    },
  });
}

function tokens(tables: PaperTables): ArithmeticClaim {
  const { value, interval } = totalTokensB(tables);
  return claim({
    id: "schedule.tokens",
    paper: `${tables.stages.map((stage) => stage.tokensB).join(" + ")} = ${tables.schedule.totalTokensB} billion tokens`,
    measured: `${value.toFixed(2)} billion tokens`,
    interval,
    verdict: verdictOn(value, tables.schedule.totalTokensB, interval),
    why: "One higher in the last digit: the paper summed unrounded stages.",
    derivation: {
      formula: "sum of tokens",
      inputs: tables.stages.map((stage) => ({ name: stage.name, value: stage.tokensB, source: "Table 1" })),
    },
  });
}

function scratchDays(tables: PaperTables): ArithmeticClaim {
  const last = tables.stages.at(-1)!;
  const total = totalTokensB(tables).value;
  const rate = valueOf(last.tokensB) / valueOf(last.days);
  const roundedRate = Number(rate.toFixed(2));
  const inputs = [...tables.stages.map((stage) => stage.tokensB), last.days];
  const interval = propagateRounding(inputs, (...values) => {
    const stageTokens = values.slice(0, -1);
    return (stageTokens.reduce((a, b) => a + b, 0) / stageTokens.at(-1)!) * values.at(-1)!;
  });
  return claim({
    id: "schedule.scratch-days",
    paper: `${tables.schedule.scratchDays} days from scratch at ${last.name}`,
    measured: `${(total / roundedRate).toFixed(2)} days (${(total / rate).toFixed(2)} with the rate unrounded)`,
    interval,
    verdict: verdictOn(total / roundedRate, tables.schedule.scratchDays, interval),
    why: `All tokens at the last stage's rate, rounded to ${roundedRate} billion a day.`,
    derivation: {
      formula: "total tokens / round(last stage's tokens / days, 2 decimals)",
      inputs: [
        { name: "total", value: `${total.toFixed(2)}e9`, source: "sum of Table 1" },
        { name: "tokens", value: `${last.tokensB}e9`, source: "Table 1" },
        { name: "days", value: last.days, source: "Table 1" },
      ],
    },
  });
}

function savingEqualTokens({ schedule }: PaperTables): ArithmeticClaim {
  const inputs = [schedule.scratchDays, schedule.totalDays];
  const speedup = valueOf(schedule.scratchDays) / valueOf(schedule.totalDays);
  const saved = 100 * (1 - 1 / speedup);
  const interval = propagateRounding(inputs, (scratch, grown) => scratch! / grown!);
  return claim({
    id: "schedule.saving-equal-tokens",
    paper: `${schedule.savedPercent} % time saved, ${schedule.speedup}x`,
    measured: `${saved.toFixed(0)} % time saved, ${speedup.toFixed(2)}x`,
    interval,
    verdict: weakest([verdictOn(speedup, schedule.speedup, interval), verdictOn(saved, schedule.savedPercent)]),
    why: "At equal tokens, against an estimate; no scratch run was made. At equal predicted loss the saving is smaller (see schedule.saving-equal-loss).",
    derivation: {
      formula: "speed-up = scratch days / grown days; saved = 1 - 1/speed-up",
      inputs: [
        { name: "scratch", value: schedule.scratchDays, source: "section 3" },
        { name: "grown", value: schedule.totalDays, source: "Table 1" },
      ],
    },
  });
}

function linearHalf(): ArithmeticClaim {
  const saved = 100 * growthCurveSaving([[0, 0], [1, 1]]);
  return claim({
    id: "schedule.linear-half",
    paper: "linear growth saves 50 %",
    measured: `${saved.toFixed(0)} %`,
    verdict: verdictOn(saved, "50"),
    why: "Cost is the area under parameters against tokens; under a line from nothing to the final size it is half the square.",
    derivation: {
      formula: "1 - area under (tokens, parameters), both as shares of their end",
      inputs: [{ name: "curve", value: "(0, 0) to (1, 1)", source: "section 1, figure 1" }],
    },
  });
}

/** Steps of each stage, rounded to whole hundreds, and the tokens that follow from them. */
function steps(tables: PaperTables): ArithmeticClaim {
  const rows = tables.stages.map((stage) => {
    const perStep = batchTokens(stage, tables.cluster.seqLen);
    const exact = (valueOf(stage.tokensB) * 1e9) / perStep;
    const rounded = Math.round(exact / STEP_GRAIN) * STEP_GRAIN;
    return { stage, exact, rounded, tokensB: (rounded * perStep) / 1e9 };
  });
  return claim({
    id: "schedule.steps",
    paper: `${tables.derived.steps.join(" / ")} steps (derived from Tables 1 and 2)`,
    measured: rows.map((row) => row.rounded.toLocaleString("en-US")).join(" / "),
    verdict: weakest([
      ...rows.map(({ tokensB, stage }) => verdictOn(tokensB, stage.tokensB)),
      ...rows.map(({ rounded }, i) => verdictOn(rounded, tables.derived.steps[i]!)),
    ]),
    why: `Tokens over batch give ${rows.map((row) => row.exact.toFixed(1)).join(" / ")}; rounded to hundreds and multiplied back they give the printed tokens (${rows.map((row) => asPrinted(row.tokensB, row.stage.tokensB)).join(", ")} billion) to the digit.`,
    derivation: {
      formula: "steps = round(tokens / (sequences * s), hundreds); check: steps * sequences * s = tokens",
      inputs: [
        ...tables.stages.map((stage) => ({ name: `tokens(${stage.name})`, value: `${stage.tokensB}e9`, source: "Table 1" })),
        ...tables.stages.map((stage) => ({ name: `sequences(${stage.name})`, value: stage.batchSequences, source: "Table 2" })),
        { name: "s", value: tables.cluster.seqLen, source: "section 2.4" },
      ],
    },
  });
}

/** Every arithmetic `schedule.*` row. */
export function scheduleClaims(tables: PaperTables): ArithmeticClaim[] {
  return [days(tables), tokens(tables), scratchDays(tables), savingEqualTokens(tables), linearHalf(), steps(tables)];
}
