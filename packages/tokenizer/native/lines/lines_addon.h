// lines_addon.h -- Node's side of reading JSON lines.
//
//   textsOfLines(lines: Uint8Array, field: Uint8Array, out: Uint8Array): [numLines, ends: Uint32Array, numbers: Uint32Array, malformed: Uint32Array]
//       texts that are not blank, end to end in `out` of at least 3 * lines.length + 64 bytes, each with its line, from 1;
//       of lines that have none number, begin and end
#pragma once
#include <node_api.h>

namespace espalier {

void add_lines(napi_env env, napi_value exports);

}  // namespace espalier
