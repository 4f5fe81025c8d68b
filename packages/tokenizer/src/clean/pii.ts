/** What is looked for in texts to protect people. */
export const piiKinds = ["email", "ip", "card", "iban"] as const;
export type PiiKind = (typeof piiKinds)[number];

const IP = /(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])/g;
const CARD = /(?<!\d)\d(?:[ -]?\d){12,18}(?!\d)/g;
const IBAN = /(?<![A-Z0-9])[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?![A-Z0-9])/g;
const MAX_LOCAL = 64; // RFC 5321, section 4.5.3.1
const MAX_DOMAIN = 255;

/**
 * The text with personal data replaced by `<email>`, `<ip>`, `<card>`, `<iban>`: addresses of e-mail; public IPv4
 * addresses; card numbers of 13 to 19 digits whose check digit is right (Luhn); account numbers whose check digits are
 * right (ISO 7064, mod 97). Linear in the text.
 *
 * @param onMasked called for each replacement
 */
export function maskPii(text: string, kinds: readonly PiiKind[] = piiKinds, onMasked: (kind: PiiKind) => void = () => {}): string {
  let masked = text;
  if (kinds.includes("email") && masked.includes("@")) masked = maskEmails(masked, onMasked);
  const replace = (kind: PiiKind, pattern: RegExp, isReal: (found: string) => boolean) => {
    if (!kinds.includes(kind)) return;
    masked = masked.replace(pattern, (found) => {
      if (!isReal(found)) return found;
      onMasked(kind);
      return `<${kind}>`;
    });
  };
  replace("iban", IBAN, isIban);
  replace("card", CARD, isCard);
  replace("ip", IP, isPublicIp);
  return masked;
}

/** Grown from each `@` to both sides: a pattern would begin anew at every letter. */
function maskEmails(text: string, onMasked: (kind: PiiKind) => void): string {
  let out = "";
  let done = 0;
  for (let at = text.indexOf("@"); at >= 0; at = text.indexOf("@", at + 1)) {
    const local = /[A-Za-z0-9._%+-]+$/.exec(text.slice(Math.max(done, at - MAX_LOCAL), at))?.[0].replace(/^[.-]+/, "");
    const domain = /^(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,24}(?![A-Za-z0-9])/.exec(text.slice(at + 1, at + 1 + MAX_DOMAIN))?.[0];
    if (!local || !domain) continue;
    out += `${text.slice(done, at - local.length)}<email>`;
    done = at + 1 + domain.length;
    onMasked("email");
  }
  return done === 0 ? text : out + text.slice(done);
}

function isCard(found: string): boolean {
  const digits = found.replace(/[ -]/g, "");
  if (/^0+$/.test(digits)) return false;
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    const digit = Number(digits[digits.length - 1 - i]);
    sum += i % 2 === 0 ? digit : digit > 4 ? digit * 2 - 9 : digit * 2;
  }
  return sum % 10 === 0;
}

function isIban(found: string): boolean {
  const compact = found.replaceAll(" ", "");
  if (compact.length < 15 || compact.length > 34) return false;
  let rest = 0;
  for (const letter of compact.slice(4) + compact.slice(0, 4)) for (const digit of String(parseInt(letter, 36))) rest = (rest * 10 + Number(digit)) % 97;
  return rest === 1;
}

/** Not of a network of one's own, a loopback, a multicast or a reserved block. */
function isPublicIp(found: string): boolean {
  const [a = 0, b = 0, ...rest] = found.split(".").map(Number);
  if ([a, b, ...rest].some((part) => part > 255)) return false;
  return !(a === 0 || a === 10 || a === 127 || a >= 224 || (a === 100 && b >= 64 && b < 128) || (a === 169 && b === 254) || (a === 172 && b >= 16 && b < 32) || (a === 192 && b === 168));
}
