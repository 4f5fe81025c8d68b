#include "executor/memory.h"

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "executor/op.h"

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace espalier {

namespace {
constexpr std::size_t kAlignment = 64;
constexpr std::size_t kHugePage = std::size_t(2) << 20;
constexpr std::size_t kMapFrom = std::size_t(1) << 20;

char* align_up(void* p, std::size_t alignment) {
  return reinterpret_cast<char*>((reinterpret_cast<std::uintptr_t>(p) + alignment - 1) & ~(alignment - 1));
}
}  // namespace

Memory::Memory(std::size_t bytes) : bytes_(bytes) {
#if defined(__linux__)
  if (bytes >= kMapFrom) {
    mapped_ = (bytes + 2 * kHugePage - 1) / kHugePage * kHugePage;  // one page more, so that the start can be aligned
    base_ = mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base_ == MAP_FAILED) {
      base_ = nullptr;
      bytes_ = mapped_ = 0;
      return;
    }
    data_ = align_up(base_, kHugePage);
    madvise(data_, bytes, MADV_HUGEPAGE);  // advice only: a refusal changes the speed, not the result
    return;
  }
#endif
  base_ = std::calloc(1, bytes + kAlignment);
  if (!base_) bytes_ = 0;
  else data_ = align_up(base_, kAlignment);
}

Memory::~Memory() {
#if defined(__linux__)
  if (mapped_) {
    munmap(base_, mapped_);
    return;
  }
#endif
  std::free(base_);
}

Memory::Memory(Memory&& other) noexcept { *this = std::move(other); }

Memory& Memory::operator=(Memory&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(bytes_, other.bytes_);
  std::swap(mapped_, other.mapped_);
  std::swap(base_, other.base_);
  return *this;
}

void* thread_scratch(std::size_t bytes) {
  thread_local Memory scratch;
  if (scratch.bytes() < bytes) scratch = Memory(bytes + bytes / 2);
  if (!scratch.data()) std::abort();  // less than 1 MB was asked for: the process is out of memory anyway
  return scratch.data();
}

}  // namespace espalier
