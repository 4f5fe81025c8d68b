// device.h -- what differs between devices and has no class of its own. Defined in executor/run_cpu.cc for the CPU and in
// cuda/ for CUDA; memory.h and instruction_path.h have two implementations likewise.
#pragma once
#include <cstddef>
#include <memory>

namespace espalier {

// What an executor keeps of its device: streams and library handles. Null on the CPU.
std::shared_ptr<void> open_device(int num_threads);
// Runs that may be under way at once: with two, the inputs of the next one are copied while one computes.
std::size_t runs_under_way();

// Whether tensors may be bf16 in memory.
bool stores_bf16();

// One line about the device for people: what there is, what was tried.
const char* device_summary();

// As espalier_collectives_check has it. Throws Failure.
void check_collectives();

// Between host and device memory; return when the copy is complete.
void device_write(void* target, const void* source, std::size_t bytes);
void device_read(void* target, const void* source, std::size_t bytes);

}  // namespace espalier
