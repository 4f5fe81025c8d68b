// gemm_few_rows.h -- products of a few rows of a with a weight matrix stored [N, K], as decoding makes them: the weights
// are read once, in order, and never written back packed. What counts is the memory's rate of reading.
//
// The same bits as `multiply`: an element is summed along k in the same order, block by block.
#pragma once
#include "ops/gemm.h"

namespace espalier {
namespace ESPALIER_ISA {

constexpr int64_t kFewRows = kTileRows < 8 ? kTileRows : 8;  // one tile; more rows are worth packing b for

inline bool has_few_rows(const Product& p) { return p.M <= kFewRows && p.b.transposed && !p.columns; }

// As `multiply` of a product that has few rows; `room` and the tiles are not used.
void multiply_few_rows(const Product& product, float* room, int64_t tile_begin, int64_t tile_end, int64_t panel_begin,
                       int64_t panel_end, Epilogue epilogue = nullptr, const void* context = nullptr);

}  // namespace ESPALIER_ISA
}  // namespace espalier
