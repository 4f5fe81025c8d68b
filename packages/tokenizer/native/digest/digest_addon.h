// digest_addon.h -- Node's side of the digest of bytes that come piece by piece.
//
//   createSha256(): sha256
//   updateSha256(sha256, bytes: Uint8Array): Promise<void>   on a thread of Node's pool; one call at a time, and the bytes may
//       not be touched before the promise is settled
//   digestSha256(sha256): Uint8Array                         of all that came; nothing may come behind it
#pragma once
#include <node_api.h>

namespace espalier {

void add_digest(napi_env env, napi_value exports);

}  // namespace espalier
