/** SHA-256 as hex, through Web Crypto, so that the root entry needs no Node. */
export async function sha256Bytes(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** SHA-256 of a text in UTF-8. */
export const sha256Text = (text: string): Promise<string> => sha256Bytes(new TextEncoder().encode(text));
