// pool_addon.h -- Node's side of the threads of treat_pool.h.
//
//   createPool(tokens, offsets, classes, pattern, field: Uint8Array, separator: number, threads: number, ids?: Uint32Array): pool
//       the first four as of an encoder; `ids` of every rank, where they are not the ranks
//   treatLines(pool, lines: Uint8Array, ids: Uint32Array): Promise<[numLines, numbers, malformed, textEnds, hashes, positions, idEnds] | number>
//       ids of the texts are written to `ids`; neither array may be touched before the promise is settled. A number of
//       ids that is room enough, in place of all else, where they do not fit
//   closePool(pool): void
//       returns when no thread is at work; promises not settled are rejected
#pragma once
#include <node_api.h>

namespace espalier {

void add_pool(napi_env env, napi_value exports);

}  // namespace espalier
