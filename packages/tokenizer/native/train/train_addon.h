// train_addon.h -- Node's side of training.
//
//   createCounter(classes: Uint8Array, pattern: number): counter
//   count(counter, text: Uint8Array): void
//   counterSize(counter): [pieces: number, heldBytes: number]
//   countedPieces(counter, clear: boolean): [bytes: Uint8Array, lengths: Uint32Array, counts: Float64Array]   by their bytes
//   learn(bytes: Uint8Array, offsets: Uint32Array, counts: Float64Array, order: Uint8Array, size: number,
//         minFrequency: number, maxTokenBytes: number): Uint32Array   left and right of every learned token
#pragma once
#include <node_api.h>

namespace espalier {

void add_training(napi_env env, napi_value exports);

}  // namespace espalier
