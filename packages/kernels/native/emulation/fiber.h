// fiber.h -- switching between call stacks of one OS thread: one fiber stands for one CUDA thread.
//
// On x86-64 a switch saves the six registers that a callee must keep and the stack pointer (some nanoseconds; swapcontext
// makes a system call and is 10 to 27 times slower). Elsewhere it is swapcontext. Floating-point control words are the
// same in all fibers and are not saved. Nothing may be thrown through the entry function.
#pragma once
#include <cstddef>
#include <cstdint>

#if !defined(__x86_64__)
#include <ucontext.h>
#endif

namespace espalier {
namespace emulation {

struct FiberContext {
#if defined(__x86_64__)
  void* stack_pointer = nullptr;
#else
  ucontext_t context;
#endif
};

// Makes `context` begin `entry`, which must never return, on the given stack at the first switch to it.
void prepare(FiberContext& context, void (*entry)(), char* stack, std::size_t bytes);
void switch_to(FiberContext& from, FiberContext& to);

}  // namespace emulation
}  // namespace espalier
