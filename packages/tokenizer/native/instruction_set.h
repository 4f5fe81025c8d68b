// instruction_set.h -- the best build of the encode core that this processor runs.
#pragma once
#include "core/encode_core.h"

namespace espalier {

// The named one (`portable`, `avx2`, `avx512`), or the best when `name` is null; null when there is none.
const EncodeCore* find_encode_core(const char* name);

}  // namespace espalier
