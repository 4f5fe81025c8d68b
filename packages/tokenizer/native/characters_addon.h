// characters_addon.h -- Node's side of core/character_bpe.h.
//
//   createCharacters(words: Uint32Array): encoder      undefined when the words are no definition
//   encodeCharacters(encoder, text: Uint8Array, out: Uint32Array): number    ids written
#pragma once
#include <node_api.h>

namespace espalier {

void add_characters(napi_env env, napi_value exports);

}  // namespace espalier
