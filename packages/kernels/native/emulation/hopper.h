// hopper.h -- what Hopper adds, for the emulation: barriers in shared memory with phases, bulk copies of tensor tiles that
// arrive at them, and products of a warpgroup that read shared memory through descriptors.
//
//   - A bulk copy poisons its target when it is issued and lands some turns later, in an order of the seed's, or when
//     nobody could go on without it. Rows are written in the 128-byte swizzle; what lies outside of the tensor is 0.
//   - A product reads shared memory and the registers of its left factor, and writes its sums, no earlier than at the wait for
//     its group; the sums are poisoned until the last group that adds to them. A tile that is written again too soon shows as
//     not-a-numbers, and registers that are written too soon show as wrong sums.
//   - A wait for a phase that never ends is reported as a deadlock.
#pragma once
#include <cstddef>
#include <cstdint>

namespace espalier {
namespace emulation {

// 8 bytes of shared memory, as on the device.
void barrier_init(uint64_t* barrier, unsigned arrivals);
void barrier_arrive(uint64_t* barrier);
void barrier_arrive_expecting(uint64_t* barrier, unsigned bytes);
// Until the phase of this parity has ended.
void barrier_wait(uint64_t* barrier, unsigned parity);

// Matrices of 2-byte elements, one behind the other, and the box that one copy takes of one of them.
struct TileMap {
  const char* data;
  int64_t columns, rows, stride_bytes;
  int box_columns, box_rows;
  int64_t matrices, matrix_bytes;
};
void bulk_copy(void* target, const TileMap& map, int column, int row, int matrix, uint64_t* barrier);
// Bytes as they lie, a multiple of 16.
void bulk_copy_line(void* target, const void* source, int bytes, uint64_t* barrier);

// sums [64 x columns] of a warpgroup, this thread's share of them, = a b or, when it adds, += a b; descriptors as wgmma has them, 16
// deep. The left factor may be this thread's registers instead, which are read at the wait.
struct LeftFactor {
  uint64_t descriptor;
  bool across;
  const uint32_t* registers;  // four, or null
};
void warpgroup_product(float* sums, int columns, LeftFactor a, uint64_t b, bool b_across, bool adds);
void commit_products();
void wait_products(int pending);
// Where a pointer into shared memory points, as descriptors count.
uint32_t shared_address(const void* pointer);

// For the scheduler.
void begin_hopper_block(std::size_t num_threads);
bool barrier_passed(const uint64_t* barrier, unsigned parity);
bool land_copies(bool all);  // whether any did

}  // namespace emulation
}  // namespace espalier
