import { createHash } from "node:crypto";
import { createNativeSha256 } from "#native";

/** The sha256 of bytes that come piece by piece. */
export interface Digest {
  /** One call at a time. The bytes may not be touched before it is through. */
  update(bytes: Uint8Array): Promise<void>;
  /** Of all that came, in hex; nothing may come behind it. */
  hex(): string;
}

/** Beside this thread where there is the addon, so that reading and writing go on meanwhile. */
export function createDigest(): Digest {
  const native = createNativeSha256();
  if (native) return { update: native.update, hex: () => Buffer.from(native.digest()).toString("hex") };
  const hash = createHash("sha256");
  return {
    async update(bytes) {
      hash.update(bytes);
    },
    hex: () => hash.digest("hex"),
  };
}
