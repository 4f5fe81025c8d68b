// arena.h -- zeroed memory for an encoder.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace espalier {

struct Arena {
  void* data = nullptr;  // aligned to 64 bytes; null when there is no memory
  void* allocation = nullptr;
  std::size_t allocated_bytes = 0;
};

#if defined(__linux__)

// The table is read at random: huge pages spare it a miss in the TLB for every piece, and populating them at once
// spares thousands of page faults at the start (12 ms in place of 32 where faults are dear). Both are wishes only.
inline Arena allocate_arena(std::size_t bytes) {
  constexpr std::size_t kHugePage = std::size_t(1) << 21;
  Arena arena;
  arena.allocated_bytes = bytes + kHugePage;
  void* const memory = mmap(nullptr, arena.allocated_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return {};
  arena.allocation = memory;
  arena.data = reinterpret_cast<void*>((reinterpret_cast<std::uintptr_t>(memory) + kHugePage - 1) & ~std::uintptr_t(kHugePage - 1));
  madvise(arena.data, bytes, MADV_HUGEPAGE);
#if defined(MADV_POPULATE_WRITE)
  madvise(arena.data, bytes, MADV_POPULATE_WRITE);
#endif
  return arena;
}
inline void free_arena(const Arena& arena) { munmap(arena.allocation, arena.allocated_bytes); }

#else

inline Arena allocate_arena(std::size_t bytes) {
  Arena arena;
  arena.allocated_bytes = bytes + 64;
  arena.allocation = std::calloc(arena.allocated_bytes, 1);
  if (!arena.allocation) return {};
  arena.data = reinterpret_cast<void*>((reinterpret_cast<std::uintptr_t>(arena.allocation) + 63) & ~std::uintptr_t(63));
  return arena;
}
inline void free_arena(const Arena& arena) { std::free(arena.allocation); }

#endif

}  // namespace espalier
