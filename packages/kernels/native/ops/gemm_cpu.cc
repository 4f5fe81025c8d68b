// gemm_cpu.cc -- see gemm.h.
#include "ops/gemm.h"

#include "ops/gemm_ahead.h"
#include "ops/gemm_pack.h"

namespace espalier {
namespace ESPALIER_ISA {

namespace {

// What the tiles of a product have in common. Passed by reference: alpha in a register would displace a sum.
struct TileOptions {
  int64_t c_stride;
  float alpha;
  bool add;
};

// Calls body(where, i, j) for vector j of row i. What is asked of all vectors of a tile is asked before: 64 words of k take
// 900 cycles, and a question a vector takes another 40.
template <int kRows, int kVectors, class Body>
ESPALIER_INLINE void store_tile(float* c, int64_t c_stride, Body body) {
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 2
    for (int j = 0; j < kVectors; ++j) body(c + i * c_stride + j * kWidth, i, j);
  }
}

// One register tile over one block of k: kRows rows, kVectors vectors, of which the last holds `last_lanes` columns.
template <bool kPairs, int kRows, int kVectors>
void multiply_tile(float* c, const float* a, const float* b, int64_t words, const TileOptions& options, int64_t last_lanes, Ahead& ahead) {
  vf sum[kRows][kVectors];
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 2
    for (int j = 0; j < kVectors; ++j) sum[i][j] = zero();
  }
  for (const float* const end = a + words * kTileStride; a < end;) {
    ahead.next<kPairs>();
    const float* const pause = end - a > Ahead::kWords * kTileStride ? a + Ahead::kWords * kTileStride : end;
    for (; a < pause; a += kTileStride, b += kVectors * kWidth) {
      // A tile and one panel are read side by side; the processor's own reading ahead stops at pages of 4 KB. The panel lies
      // in L2, tiles of many rows in L3 or in memory: 64 words of k are 900 cycles or more.
      __builtin_prefetch(a + 64 * kTileStride);
#pragma GCC unroll 2
      for (int j = 0; j < kVectors; ++j) __builtin_prefetch(b + (8 * kVectors + j) * kWidth);
      vf row[kVectors];
#pragma GCC unroll 2
      for (int j = 0; j < kVectors; ++j) row[j] = load(b + j * kWidth);
#pragma GCC unroll 16
      for (int i = 0; i < kRows; ++i) {
        const vf x = splat(a[i]);
#pragma GCC unroll 2
        for (int j = 0; j < kVectors; ++j) sum[i][j] = kPairs ? dot_pairs(x, row[j], sum[i][j]) : fma(x, row[j], sum[i][j]);
      }
    }
  }
  const bool plain = last_lanes == kWidth && options.alpha == 1.0f;
  if (plain && !options.add) store_tile<kRows, kVectors>(c, options.c_stride, [&](float* to, int i, int j) { store(to, sum[i][j]); });
  else if (plain) store_tile<kRows, kVectors>(c, options.c_stride, [&](float* to, int i, int j) { store(to, load(to) + sum[i][j]); });
  else {
    store_tile<kRows, kVectors>(c, options.c_stride, [&](float* to, int i, int j) {
      const int64_t lanes = j + 1 < kVectors ? static_cast<int64_t>(kWidth) : last_lanes;
      const vf value = splat(options.alpha) * sum[i][j];
      store_some(to, options.add ? load_some(to, lanes) + value : value, lanes);
    });
  }
}

using TileKernel = void (*)(float*, const float*, const float*, int64_t, const TileOptions&, int64_t, Ahead&);

// [rows - 1][vectors - 1]
#define ESPALIER_TILE(rows) {multiply_tile<kPairs, rows, 1>, multiply_tile<kPairs, rows, 2>}
template <bool kPairs>
const TileKernel tile_kernels[][kTileVectors] = {
    ESPALIER_TILE(1),  ESPALIER_TILE(2),  ESPALIER_TILE(3),  ESPALIER_TILE(4), ESPALIER_TILE(5), ESPALIER_TILE(6),
#if defined(__AVX512F__)
    ESPALIER_TILE(7),  ESPALIER_TILE(8),  ESPALIER_TILE(9),  ESPALIER_TILE(10), ESPALIER_TILE(11), ESPALIER_TILE(12),
    ESPALIER_TILE(13), ESPALIER_TILE(14),
#endif
};
#undef ESPALIER_TILE

TileKernel tile_kernel(Precision precision, int64_t rows, int64_t vectors) {
  if constexpr (kHasBf16Pairs) {
    if (precision == Precision::bf16) return tile_kernels<true>[rows - 1][vectors - 1];
  }
  return tile_kernels<false>[rows - 1][vectors - 1];
}

// One panel of one block of k: what `multiply` packs at a time.
struct Part {
  int64_t block, panel;
};

// The words of k of a block.
struct Words {
  int64_t begin, end;
};

Words words_of_block(const Product& p, int64_t block, int64_t blocks) {
  const int64_t words = words_of(p.K, p.precision);
  return {words * block / blocks, words * (block + 1) / blocks};
}

void pack_part(float* to, const Product& p, Words words, int64_t panel) {
  const int64_t numbers = numbers_in_word(p.precision), k = words.begin * numbers;
  const Matrix rows = {p.b.data + (p.b.transposed ? k : k * p.b.stride), p.b.stride, p.b.transposed};
  // pack_columns puts a panel behind those before it.
  float* const first = to - panel * kTileCols * (words.end - words.begin);
  pack_columns(first, rows, smaller(words.end * numbers, p.K) - k, p.N, p.precision, panel, panel + 1);
}

}  // namespace

void pack_rows(float* packed, Matrix a, int64_t M, int64_t K, Precision precision, int64_t tile_begin, int64_t tile_end) {
  const int64_t words = words_of(K, precision);
  if (a.transposed) {
    for (int64_t first = tile_begin; first < tile_end; first += kStrips) {
      Strips strips{};
      strips.count = smaller(kStrips, tile_end - first);
      strips.stride = a.stride;
      for (int64_t s = 0; s < strips.count; ++s) {
        const int64_t row = tile_row(M, first + s);
        strips.from[s] = a.data + row;
        strips.to[s] = packed + (first + s) * kTileStride * words;
        strips.lanes[s] = tile_row(M, first + s + 1) - row;
      }
      pack_strips<kTileStride / kWidth>(strips, K, precision);
    }
    return;
  }
  for (int64_t tile = tile_begin; tile < tile_end; ++tile) {
    const int64_t row = tile_row(M, tile);
    const Lanes rows = {a.data + row * a.stride, a.stride, true, tile_row(M, tile + 1) - row};
    pack(packed + tile * kTileStride * words, kTileStride, rows, K, precision);
  }
}

void pack_columns(float* packed, Matrix b, int64_t K, int64_t N, Precision precision, int64_t panel_begin, int64_t panel_end) {
  const int64_t words = words_of(K, precision);
  // The last panel may be narrower: its words lie closer.
  const int64_t whole = b.transposed ? panel_begin : smaller(panel_end, N / kTileCols);
  for (int64_t first = panel_begin; first < whole; first += kStrips) {
    Strips strips{};
    strips.count = smaller(kStrips, whole - first);
    strips.stride = b.stride;
    for (int64_t s = 0; s < strips.count; ++s) {
      strips.from[s] = b.data + (first + s) * kTileCols;
      strips.to[s] = packed + (first + s) * kTileCols * words;
      strips.lanes[s] = kTileCols;
    }
    pack_strips<kTileVectors>(strips, K, precision);
  }
  for (int64_t panel = larger(panel_begin, whole); panel < panel_end; ++panel) {
    const int64_t col = panel * kTileCols;
    const Lanes columns = {b.data + col * (b.transposed ? b.stride : 1), b.stride, b.transposed, smaller(kTileCols, N - col)};
    pack(packed + col * words, packed_columns(columns.count), columns, K, precision);
  }
}

void multiply(const Product& p, float* room, int64_t tile_begin, int64_t tile_end, int64_t panel_begin, int64_t panel_end,
              Epilogue epilogue, const void* context) {
  const int64_t all_words = words_of(p.K, p.precision), numbers = numbers_in_word(p.precision);
  const int64_t blocks = larger(1, ceil_div(all_words, kBlockWords));
  float* spare = room ? room + kTileCols * kBlockWords : nullptr;
  bool packed_ahead = false;
  for (Part now = {0, panel_begin}; panel_begin < panel_end && now.block < blocks;) {
    const bool last_panel = now.panel + 1 == panel_end, last_block = now.block + 1 == blocks;
    const Part next = last_panel ? Part{last_block ? 0 : now.block + 1, last_block ? p.next_panel : panel_begin} : Part{now.block, now.panel + 1};
    const Words words = words_of_block(p, now.block, blocks);
    const int64_t count = words.end - words.begin;
    const int64_t col = now.panel * kTileCols, cols = smaller(kTileCols, p.N - col);
    const int64_t vectors = packed_columns(cols) / kWidth;
    const float* columns = p.columns ? p.columns + col * all_words + words.begin * vectors * kWidth : room;
    const int64_t calls_a_tile = larger(1, ceil_div(count, Ahead::kWords)), calls = (tile_end - tile_begin) * calls_a_tile;
    Ahead ahead;
    if (p.columns) {
      const int64_t panels = panel_end - panel_begin;
      ahead = Ahead(p.coming, now.block * panels + now.panel - panel_begin, blocks * panels, calls);
    } else {
      if (!packed_ahead) pack_part(room, p, words, now.panel);
      if (next.panel >= 0) {
        const Words then = words_of_block(p, next.block, blocks);
        // What comes after this call is for the room of another one.
        float* const to = last_panel && last_block ? nullptr : spare;
        ahead = Ahead(p, then.begin * numbers, smaller(p.K, then.end * numbers), next.panel * kTileCols, to, calls);
      }
      packed_ahead = ahead.packs();
    }
    const TileOptions options = {p.c_stride, p.alpha, p.add || now.block > 0};
    for (int64_t tile = tile_begin; tile < tile_end; ++tile) {
      const int64_t row = tile_row(p.M, tile);
      const int64_t rows = tile_row(p.M, tile + 1) - row;
      ahead.fetch_outputs(p, row * p.c_stride + col, rows, last_block, calls_a_tile);
      tile_kernel(p.precision, rows, vectors)(p.c + row * p.c_stride + col, p.rows + (tile * all_words + words.begin) * kTileStride,
                                              columns, count, options, cols - (vectors - 1) * kWidth, ahead);
      ahead.pack_fetched();
      if (epilogue && last_block) epilogue(context, row, row + rows, col, col + cols);
    }
    if (packed_ahead) {
      float* const used = room;
      room = spare;
      spare = used;
    }
    now = last_panel ? Part{now.block + 1, panel_begin} : next;
  }
}

}  // namespace ESPALIER_ISA
}  // namespace espalier
