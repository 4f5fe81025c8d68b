/**
 * Place of each byte when two pairs are equally frequent `[256]`: that of GPT-2's printable characters, so that ties fall
 * as in trainers that work on those characters. The printable bytes come first, then the others, each in order.
 *
 * @see Radford et al. 2019, `encoder.py`, `bytes_to_unicode`
 */
export const byteOrder: Uint8Array = (() => {
  const printable = (byte: number) => (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
  const bytes = Array.from({ length: 256 }, (_, byte) => byte);
  const places = new Uint8Array(256);
  [...bytes.filter(printable), ...bytes.filter((byte) => !printable(byte))].forEach((byte, place) => (places[byte] = place));
  return places;
})();
