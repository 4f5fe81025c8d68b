import type { TokenSpan } from "@espalier/tokenizer";
import { memo } from "react";

const COLOURS = 5;
const hexOf = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");

/** One token; its id and bytes when it is pointed at. */
export const Span = memo(function Span({ span, place, bytes, ids }: { span: TokenSpan; place: number; bytes: Uint8Array; ids: boolean }) {
  const own = bytes.subarray(span.start, span.end);
  const shown = span.token ?? span.text; // a vocabulary over characters has its own names for what a text holds
  const whole = shown !== undefined;
  return (
    <span className={`token t${place % COLOURS}${whole ? "" : " part"}`} title={`${span.id}: ${hexOf(own)}`}>
      {whole ? shown.replaceAll("\n", "↵\n") : hexOf(own)}
      {ids && <sub>{span.id}</sub>}
    </span>
  );
});
