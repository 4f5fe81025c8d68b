// scheduler.cc -- the fibers of a block: who runs, who waits, and what is released when. See emulation.h.
#include <algorithm>
#include <iterator>
#include <mutex>
#include <stdexcept>
#include <vector>

#include "emulation/emulation.h"
#include "emulation/fiber.h"
#include "emulation/hopper.h"

namespace espalier {
namespace emulation {

Position here;

namespace {

constexpr std::size_t kStackBytes = 128 * 1024;
constexpr std::size_t kLaneBytes = 64;
constexpr std::size_t kGuardBytes = 64;
constexpr unsigned char kPoison = 0xff, kGuard = 0xa5;  // four bytes of 0xff are a float that is not a number

enum class State : uint8_t { ready, at_block_barrier, at_named_barrier, at_warp_operation, at_phase, ended };

struct AsyncCopy {
  void* target;
  const void* source;
  int bytes, source_bytes;
};

struct Fiber {
  FiberContext context;
  uint3 index;
  State state;
  unsigned mask;                    // of the warp operation it waits at
  uint64_t* barrier;                // whose phase it waits for
  unsigned parity;
  unsigned number;                  // of the named barrier it waits at
  int turn;                         // which of the two exchange areas it used last
  alignas(16) unsigned char area[2][kLaneBytes];
  std::vector<std::vector<AsyncCopy>> groups;  // committed, oldest first
  std::vector<AsyncCopy> open_group;
};

std::mutex one_at_a_time;
thread_local uint64_t seed = 0;

// The block that runs; guarded by one_at_a_time.
std::vector<Fiber> fibers;
std::vector<char> stacks;
alignas(1024) char shared_memory[kMostShared + kGuardBytes];
FiberContext scheduler;
std::size_t current, num_fibers, num_live, num_at_barrier;
constexpr unsigned kNamedBarriers = 16;
std::size_t num_at_named[kNamedBarriers];
unsigned threads_of_named[kNamedBarriers];
const std::function<void()>* body;
uint64_t random_state;

uint64_t random_number() {  // splitmix64, Steele et al. 2014
  uint64_t z = (random_state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

void yield() { switch_to(fibers[current].context, scheduler); }

void release_block_if_complete() {
  if (num_live == 0 || num_at_barrier < num_live) return;
  for (std::size_t i = 0; i < num_fibers; ++i) {
    if (fibers[i].state == State::at_block_barrier) fibers[i].state = State::ready;
  }
  num_at_barrier = 0;
}

[[noreturn]] void end_thread() {
  Fiber& me = fibers[current];
  if (!me.open_group.empty() || !me.groups.empty()) {  // legal, and the copies land: but nobody can know when
    me.open_group.clear();
    me.groups.clear();
  }
  me.state = State::ended;
  --num_live;
  release_block_if_complete();
  yield();
  std::abort();
}

void fiber_entry() {
  (*body)();
  end_thread();
}

std::string name_of(uint3 at) {
  return "(" + std::to_string(at.x) + "," + std::to_string(at.y) + "," + std::to_string(at.z) + ")";
}

[[noreturn]] void report_deadlock(const char* kernel) {
  std::size_t at_barrier = 0, at_named = 0, at_warp = 0, at_phase = 0;
  const Fiber* first = nullptr;
  for (std::size_t i = 0; i < num_fibers; ++i) {
    const Fiber& fiber = fibers[i];
    at_barrier += fiber.state == State::at_block_barrier;
    at_named += fiber.state == State::at_named_barrier;
    at_warp += fiber.state == State::at_warp_operation;
    at_phase += fiber.state == State::at_phase;
    if (!first && fiber.state != State::ended) first = &fiber;
  }
  throw std::runtime_error(std::string(kernel) + ": deadlock in block " + name_of(here.block) + ": " + std::to_string(at_barrier) +
                           " threads wait at __syncthreads, " + (at_named ? std::to_string(at_named) + " at a named barrier, " : "") + std::to_string(at_warp) + " at a warp operation, " + (at_phase ? std::to_string(at_phase) + " for a phase of a barrier, " : "") +
                           std::to_string(num_fibers - num_live) + " have ended; the first that waits is thread " +
                           name_of(first->index) + ". Every live thread must reach a barrier, every lane of its mask a warp operation.");
}

void run_block(const char* kernel, dim3 block, std::size_t shared_bytes) {
  std::memset(shared_memory, kPoison, shared_bytes);
  std::memset(shared_memory + shared_bytes, kGuard, kGuardBytes);
  std::size_t i = 0;
  for (unsigned z = 0; z < block.z; ++z) {
    for (unsigned y = 0; y < block.y; ++y) {
      for (unsigned x = 0; x < block.x; ++x, ++i) {
        fibers[i].index = {x, y, z};
        fibers[i].state = State::ready;
        fibers[i].turn = 0;
        prepare(fibers[i].context, fiber_entry, stacks.data() + i * kStackBytes, kStackBytes);
      }
    }
  }
  num_live = num_fibers;
  num_at_barrier = 0;
  std::fill(std::begin(num_at_named), std::end(num_at_named), 0);
  begin_hopper_block(num_fibers);
  std::vector<uint32_t> order(num_fibers);
  for (i = 0; i < num_fibers; ++i) order[i] = static_cast<uint32_t>(i);
  while (num_live > 0) {
    if (seed != 0) {
      for (i = num_fibers; i > 1; --i) std::swap(order[i - 1], order[random_number() % i]);
    }
    bool progress = land_copies(false);
    for (const uint32_t next : order) {
      if (fibers[next].state == State::at_phase && barrier_passed(fibers[next].barrier, fibers[next].parity)) fibers[next].state = State::ready;
      if (fibers[next].state != State::ready) continue;
      progress = true;
      current = next;
      here.thread = fibers[next].index;
      switch_to(scheduler, fibers[next].context);
    }
    if (!progress && !land_copies(true)) report_deadlock(kernel);
  }
  for (i = 0; i < kGuardBytes; ++i) {
    if (static_cast<unsigned char>(shared_memory[shared_bytes + i]) != kGuard) {
      throw std::runtime_error(std::string(kernel) + ": block " + name_of(here.block) + " wrote behind its " +
                               std::to_string(shared_bytes) + " bytes of shared memory.");
    }
  }
}

}  // namespace

void set_seed(uint64_t to) { seed = to; }

bool chance() { return seed == 0 || random_number() % 4 == 0; }

void barrier_wait(uint64_t* barrier, unsigned parity) {
  Fiber& me = fibers[current];
  if (barrier_passed(barrier, parity) && seed == 0) return;
  me.barrier = barrier;
  me.parity = parity;
  me.state = State::at_phase;
  yield();
}

void block_barrier() {
  fibers[current].state = State::at_block_barrier;
  ++num_at_barrier;
  release_block_if_complete();
  if (fibers[current].state != State::ready || seed != 0) yield();
}

// Counts this thread; whether it was the last one, and those that wait go on.
static bool count_at_named(unsigned number, unsigned threads) {
  if (number < 1 || number >= kNamedBarriers || threads % kWarp || threads > num_fibers) std::abort();  // cannot throw through a fiber
  if (num_at_named[number] != 0 && threads_of_named[number] != threads) std::abort();  // a device would not know when to end it either
  threads_of_named[number] = threads;
  if (++num_at_named[number] < threads) return false;
  for (std::size_t i = 0; i < num_fibers; ++i) {
    if (fibers[i].state == State::at_named_barrier && fibers[i].number == number) fibers[i].state = State::ready;
  }
  num_at_named[number] = 0;
  return true;
}

void named_barrier(unsigned number, unsigned threads) {
  Fiber& me = fibers[current];
  me.number = number;
  me.state = State::at_named_barrier;
  if (count_at_named(number, threads) && seed == 0) return;
  yield();
}

void named_arrive(unsigned number, unsigned threads) { count_at_named(number, threads); }

void warp_exchange(unsigned mask, const void* mine, std::size_t bytes) {
  Fiber& me = fibers[current];
  const std::size_t first = current / kWarp * kWarp;
  me.turn ^= 1;
  if (bytes) std::memcpy(me.area[me.turn], mine, bytes);
  me.mask = mask;
  me.state = State::at_warp_operation;
  bool complete = mask >> (current - first) & 1;
  for (int l = 0; l < kWarp && complete; ++l) {
    const std::size_t at = first + static_cast<std::size_t>(l);
    if (mask >> l & 1) complete = at < num_fibers && fibers[at].state == State::at_warp_operation && fibers[at].mask == mask && fibers[at].turn == me.turn;
  }
  if (complete) {
    for (int l = 0; l < kWarp; ++l) {
      if (mask >> l & 1) fibers[first + static_cast<std::size_t>(l)].state = State::ready;
    }
    if (seed == 0) return;
  }
  yield();
}

const void* lane_bytes(int lane) {
  const Fiber& other = fibers[current / kWarp * kWarp + static_cast<std::size_t>(lane)];
  return other.area[fibers[current].turn];
}

void async_copy(void* target, const void* source, int bytes, int source_bytes) {
  if (reinterpret_cast<std::uintptr_t>(target) % static_cast<unsigned>(bytes) || reinterpret_cast<std::uintptr_t>(source) % static_cast<unsigned>(bytes)) {
    std::abort();  // cannot throw through a fiber; a misaligned copy faults on a device as well
  }
  std::memset(target, kPoison, static_cast<std::size_t>(bytes));
  fibers[current].open_group.push_back({target, source, bytes, source_bytes});
}

void commit_group() {
  Fiber& me = fibers[current];
  me.groups.push_back(std::move(me.open_group));
  me.open_group.clear();
}

void wait_group(int pending) {
  Fiber& me = fibers[current];
  while (me.groups.size() > static_cast<std::size_t>(pending)) {
    for (const AsyncCopy& copy : me.groups.front()) {
      std::memcpy(copy.target, copy.source, static_cast<std::size_t>(copy.source_bytes));
      std::memset(static_cast<char*>(copy.target) + copy.source_bytes, 0, static_cast<std::size_t>(copy.bytes - copy.source_bytes));
    }
    me.groups.erase(me.groups.begin());
  }
}

void run_grid(const char* kernel, dim3 grid, dim3 block, std::size_t shared_bytes, const std::function<void()>& thread) {
  const std::lock_guard<std::mutex> lock(one_at_a_time);
  trace("kernel %s", kernel);
  num_fibers = std::size_t(block.x) * block.y * block.z;
  if (num_fibers == 0 || num_fibers > 1024 || num_fibers % kWarp) {
    throw std::runtime_error(std::string(kernel) + ": a block has " + std::to_string(num_fibers) + " threads, expected whole warps, at most 1024.");
  }
  if (shared_bytes > kMostShared) throw std::runtime_error(std::string(kernel) + ": more shared memory than a block can have.");
  if (grid.x == 0 || grid.y == 0 || grid.z == 0 || grid.y > 65535 || grid.z > 65535) {
    throw std::runtime_error(std::string(kernel) + ": a grid of " + name_of({grid.x, grid.y, grid.z}) + " blocks cannot be launched.");
  }
  if (fibers.size() < num_fibers) {
    fibers.resize(num_fibers);
    stacks.resize(num_fibers * kStackBytes);
  }
  body = &thread;
  random_state = seed;
  here.block_dim = block;
  here.grid_dim = grid;
  here.shared = shared_memory;
  const uint64_t blocks = uint64_t(grid.x) * grid.y * grid.z;
  const uint64_t start = seed ? random_number() % blocks : 0;  // no order among blocks is promised
  for (uint64_t i = 0; i < blocks; ++i) {
    const uint64_t at = (start + i) % blocks;
    here.block = {static_cast<unsigned>(at % grid.x), static_cast<unsigned>(at / grid.x % grid.y), static_cast<unsigned>(at / grid.x / grid.y)};
    run_block(kernel, block, shared_bytes);
  }
}

}  // namespace emulation
}  // namespace espalier
