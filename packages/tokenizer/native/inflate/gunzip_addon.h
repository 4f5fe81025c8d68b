// gunzip_addon.h -- Node's side of gunzip.h.
//
//   createGunzip(): gunzip
//   gunzip(gunzip, input: Uint8Array, begin: number, end: number, isLast: boolean, out: Uint8Array): Promise<[consumed, written, isDone, problem?: string]>
//       of the input from `begin` to `end`, on a thread of Node's pool; one call at a time, and neither array may be touched meanwhile
//   crc32(data: Uint8Array, portable: boolean): number
//       for tests
#pragma once
#include <node_api.h>

namespace espalier {

void add_gunzip(napi_env env, napi_value exports);

}  // namespace espalier
