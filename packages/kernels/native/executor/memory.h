// memory.h -- page-aligned memory, with huge pages where they are worth having.
#pragma once
#include <atomic>
#include <cstddef>

namespace espalier {

class Deferred;

// Zero-filled, aligned to 64 bytes at least. From 1 MB on the mapping asks for transparent huge pages (on machines
// where they are `madvise`: 6 to 80 % more memory bandwidth). Freed by the destructor.
class Memory {
 public:
  Memory() = default;
  explicit Memory(std::size_t bytes);  // data() is null when the system has no room
  ~Memory();
  Memory(Memory&& other) noexcept;
  Memory& operator=(Memory&& other) noexcept;
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  char* data() const { return data_; }
  std::size_t bytes() const { return bytes_; }
  // Whose calls still read or write here although their run has been answered; null: nobody's.
  Deferred* deferred() const { return deferred_.load(std::memory_order_acquire); }
  void touched_by(Deferred* deferred) { deferred_.store(deferred, std::memory_order_release); }

 private:
  char* data_ = nullptr;
  std::size_t bytes_ = 0;
  std::size_t mapped_ = 0;  // 0: from the heap
  void* base_ = nullptr;
  std::atomic<Deferred*> deferred_{nullptr};  // of memory that is shared, which stays where it is
};

}  // namespace espalier
