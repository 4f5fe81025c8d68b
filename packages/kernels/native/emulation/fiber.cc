#include "emulation/fiber.h"

namespace espalier {
namespace emulation {

#if defined(__x86_64__)

extern "C" void espalier_fiber_switch(void** save, void* load) __attribute__((visibility("hidden")));

__asm__(R"(
.text
.hidden espalier_fiber_switch
.globl espalier_fiber_switch
.type espalier_fiber_switch, @function
espalier_fiber_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size espalier_fiber_switch, .-espalier_fiber_switch
)");

void prepare(FiberContext& context, void (*entry)(), char* stack, std::size_t bytes) {
  auto top = reinterpret_cast<std::uintptr_t>(stack + bytes) & ~std::uintptr_t(15);
  void** at = reinterpret_cast<void**>(top);
  *--at = nullptr;                          // where `entry` would return to; also aligns the stack as a call does
  *--at = reinterpret_cast<void*>(entry);   // popped by ret
  for (int i = 0; i < 6; ++i) *--at = nullptr;
  context.stack_pointer = at;
}

void switch_to(FiberContext& from, FiberContext& to) { espalier_fiber_switch(&from.stack_pointer, to.stack_pointer); }

#else

void prepare(FiberContext& context, void (*entry)(), char* stack, std::size_t bytes) {
  getcontext(&context.context);
  context.context.uc_stack.ss_sp = stack;
  context.context.uc_stack.ss_size = bytes;
  context.context.uc_link = nullptr;
  makecontext(&context.context, entry, 0);
}

void switch_to(FiberContext& from, FiberContext& to) { swapcontext(&from.context, &to.context); }

#endif

}  // namespace emulation
}  // namespace espalier
