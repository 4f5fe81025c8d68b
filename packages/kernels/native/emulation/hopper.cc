#include "emulation/hopper.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <vector>

#include "emulation/emulation.h"

namespace espalier {
namespace emulation {

namespace {

constexpr uint8_t kMark = 0x6d;

struct Barrier {
  uint8_t expected, pending, phase, mark;
  int32_t bytes;  // that are still to come
};
static_assert(sizeof(Barrier) == 8, "as large as on the device");

struct Copy {
  char* target;
  TileMap map;
  int column, row, matrix;
  uint64_t* barrier;
  int line_bytes;  // of a copy of bytes as they lie, from map.data; else 0
};
std::vector<Copy> copies;

struct Product {
  float* target;
  int columns;
  LeftFactor a;
  uint64_t b;
  bool b_across, adds;
};
// Sums that products under way write, as they would be.
struct Sums {
  float* target;
  std::vector<float> values;
  int pending;
};
// Of one thread: groups, oldest first, the last one open.
struct Products {
  std::vector<std::vector<Product>> groups;
  std::vector<Sums> sums;
};
std::vector<Products> products;

// Cannot throw through a fiber; the device would fault or hang as well.
[[noreturn]] void fault(const char* what) {
  std::fprintf(stderr, "CUDA emulation: %s\n", what);
  std::abort();
}

Barrier load(const uint64_t* at) {
  Barrier barrier;
  std::memcpy(&barrier, at, sizeof(barrier));
  if (barrier.mark != kMark) fault("a barrier is used that was not initialised, or something wrote over it");
  return barrier;
}

void store(uint64_t* at, Barrier barrier) {
  if (barrier.pending == 0 && barrier.bytes == 0) {
    barrier.phase ^= 1;
    barrier.pending = barrier.expected;
  }
  std::memcpy(at, &barrier, sizeof(barrier));
}

// Bits 4 to 6 of an address in shared memory, turned by bits 7 to 9.
uint32_t swizzled(uint32_t address) { return address ^ (address >> 7 & 7u) << 4; }

void land(const Copy& copy) {
  const TileMap& map = copy.map;
  Barrier barrier = load(copy.barrier);
  barrier.bytes -= copy.line_bytes ? copy.line_bytes : 2 * map.box_rows * map.box_columns;
  store(copy.barrier, barrier);
  if (copy.line_bytes) {
    std::memcpy(copy.target, map.data, static_cast<std::size_t>(copy.line_bytes));
    return;
  }
  const uint32_t base = shared_address(copy.target);
  for (int r = 0; r < map.box_rows; ++r) {
    for (int c = 0; c < map.box_columns; ++c) {
      const int64_t row = copy.row + r, column = copy.column + c;
      uint16_t value = 0;
      if (row >= 0 && row < map.rows && column >= 0 && column < map.columns && copy.matrix >= 0 && copy.matrix < map.matrices) {
        std::memcpy(&value, map.data + copy.matrix * map.matrix_bytes + row * map.stride_bytes + 2 * column, 2);
      }
      std::memcpy(here.shared + swizzled(base + static_cast<uint32_t>(2 * (r * map.box_columns + c))), &value, 2);
    }
  }
}

float from_bits(uint32_t bf16) {
  const uint32_t word = bf16 << 16;
  float value;
  std::memcpy(&value, &word, 4);
  return value;
}

// Element (i, k) of a factor of 16 in depth: i along M or N. PTX ISA, "Strides" of the canonical layouts with the 128-byte
// swizzle: along k, rows of 128 bytes in groups of 8, SBO apart; across, 64 elements of i in a row of 128 bytes, rows are k in
// groups of 8, SBO apart, and blocks of 64 elements are LBO apart.
float element(uint64_t descriptor, bool across, int i, int k) {
  const uint32_t start = static_cast<uint32_t>(descriptor & 0x3fff) << 4, lbo = static_cast<uint32_t>(descriptor >> 16 & 0x3fff) << 4;
  const uint32_t sbo = static_cast<uint32_t>(descriptor >> 32 & 0x3fff) << 4;
  if (descriptor >> 62 != 1 || (descriptor >> 49 & 7) != 0) fault("a descriptor without the 128-byte swizzle, or with a base offset");
  const auto u = [](int x) { return static_cast<uint32_t>(x); };
  const uint32_t offset = across ? u(i / 64) * lbo + u(i % 64) * 2 + u(k / 8) * sbo + u(k % 8) * 128 : u(i / 8) * sbo + u(i % 8) * 128 + u(k) * 2;
  const uint32_t at = swizzled(start + offset);
  if (at + 2 > kMostShared) fault("a descriptor that leaves shared memory");
  uint16_t bits;
  std::memcpy(&bits, here.shared + at, 2);
  return from_bits(bits);
}

void multiply(std::vector<float>& sums, const Product& p) {
  const int thread = static_cast<int>(here.thread.x) % 128, lane = thread % 32, first = thread / 32 * 16 + lane / 4;
  float a[2][16];
  if (p.a.registers) {
    // PTX ISA, "Register Fragments for wgmma.mma_async.m64nNk16": lane l has of row l / 4 the columns 2 (l % 4) and the next, of the
    // eighth row below, and of both eight columns on. The four lanes of a row show each other theirs.
    warp_exchange(~0u, p.a.registers, 16);
    for (int owner = 0; owner < 4; ++owner) {
      uint32_t pairs[4];
      std::memcpy(pairs, lane_bytes(lane / 4 * 4 + owner), 16);
      for (int i = 0; i < 4; ++i) {
        for (int e = 0; e < 2; ++e) a[i % 2][i / 2 * 8 + 2 * owner + e] = from_bits(pairs[i] >> (16 * e) & 0xffffu);
      }
    }
  } else {
    for (int half = 0; half < 2; ++half) {
      for (int k = 0; k < 16; ++k) a[half][k] = element(p.a.descriptor, p.a.across, first + 8 * half, k);
    }
  }
  if (!p.adds) std::fill(sums.begin(), sums.end(), 0.0f);
  for (int j = 0; j < p.columns / 8; ++j) {
    for (int n = 0; n < 2; ++n) {
      for (int k = 0; k < 16; ++k) {
        const float b = element(p.b, p.b_across, 8 * j + 2 * (lane % 4) + n, k);
        for (int half = 0; half < 2; ++half) sums[static_cast<std::size_t>(4 * j + 2 * half + n)] += a[half][k] * b;
      }
    }
  }
}

Products& mine() { return products[here.thread.x]; }
std::vector<Sums>::iterator sums_of(Products& p, const float* target) {
  return std::find_if(p.sums.begin(), p.sums.end(), [&](const Sums& sums) { return sums.target == target; });
}

}  // namespace

uint32_t shared_address(const void* pointer) { return static_cast<uint32_t>(static_cast<const char*>(pointer) - here.shared); }

void barrier_init(uint64_t* at, unsigned arrivals) {
  const Barrier barrier{static_cast<uint8_t>(arrivals), static_cast<uint8_t>(arrivals), 0, kMark, 0};
  std::memcpy(at, &barrier, sizeof(barrier));
}

void barrier_arrive(uint64_t* at) {
  Barrier barrier = load(at);
  if (barrier.pending == 0) fault("more arrivals at a barrier than it expects");
  --barrier.pending;
  store(at, barrier);
}

void barrier_arrive_expecting(uint64_t* at, unsigned bytes) {
  Barrier barrier = load(at);
  if (barrier.pending == 0) fault("more arrivals at a barrier than it expects");
  barrier.bytes += static_cast<int32_t>(bytes);
  --barrier.pending;
  store(at, barrier);
}

bool barrier_passed(const uint64_t* at, unsigned parity) { return load(at).phase != (parity & 1u); }

void bulk_copy(void* target, const TileMap& map, int column, int row, int matrix, uint64_t* barrier) {
  if (shared_address(target) % 1024 || map.box_columns != 64 || map.box_rows > 256 || map.box_rows < 1 || map.stride_bytes % 16 ||
      reinterpret_cast<std::uintptr_t>(map.data) % 16) {
    fault("a bulk copy that the device refuses: alignment, stride or box");
  }
  std::memset(target, 0xff, static_cast<std::size_t>(2 * map.box_columns * map.box_rows));
  copies.push_back({static_cast<char*>(target), map, column, row, matrix, barrier, 0});
}

void bulk_copy_line(void* target, const void* source, int bytes, uint64_t* barrier) {
  if (shared_address(target) % 16 || bytes % 16 || bytes < 16 || reinterpret_cast<std::uintptr_t>(source) % 16) {
    fault("a bulk copy that the device refuses: addresses and size must be multiples of 16");
  }
  std::memset(target, 0xff, static_cast<std::size_t>(bytes));
  TileMap from{};
  from.data = static_cast<const char*>(source);
  copies.push_back({static_cast<char*>(target), from, 0, 0, 0, barrier, bytes});
}

bool land_copies(bool all) {
  bool any = false;
  for (std::size_t i = 0; i < copies.size();) {
    if (all || chance()) {
      land(copies[i]);
      copies.erase(copies.begin() + static_cast<std::ptrdiff_t>(i));
      any = true;
    } else {
      ++i;
    }
  }
  return any;
}

void warpgroup_product(float* target, int columns, LeftFactor a, uint64_t b, bool b_across, bool adds) {
  Products& p = mine();
  if (p.groups.empty()) p.groups.emplace_back();
  auto at = sums_of(p, target);
  if (at == p.sums.end()) {
    at = p.sums.insert(p.sums.end(), Sums{target, std::vector<float>(target, target + columns / 2), 0});
    std::fill(target, target + columns / 2, std::numeric_limits<float>::quiet_NaN());
  }
  ++at->pending;
  p.groups.back().push_back({target, columns, a, b, b_across, adds});
}

void commit_products() { mine().groups.emplace_back(); }

void wait_products(int pending) {
  Products& p = mine();
  while (p.groups.size() > static_cast<std::size_t>(pending) + 1) {  // the last one is open
    for (const Product& product : p.groups.front()) {
      const auto sums = sums_of(p, product.target);
      multiply(sums->values, product);
      if (--sums->pending > 0) continue;
      std::copy(sums->values.begin(), sums->values.end(), sums->target);
      p.sums.erase(sums);
    }
    p.groups.erase(p.groups.begin());
  }
}

void begin_hopper_block(std::size_t num_threads) {
  copies.clear();
  products.assign(num_threads, Products());
}

}  // namespace emulation
}  // namespace espalier
