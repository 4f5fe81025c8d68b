// regions.h -- which instructions of a program run together on a CPU.
//
// A region is consecutive calls that do not touch what another of them writes. It wakes and awaits the pool once instead
// of once a call. There are two kinds:
//
//   of one op        calls without stages, up to 64: their tasks are numbered through and shared among the threads (a
//                    step's AdamW over all parameters)
//   of several ops   a few small calls, with stages or without: stage n of all of them is shared among the threads at once
//                    (the projections of a layer, the two gradients of a norm)
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "executor/op.h"

namespace espalier {

// A deferred call, counted from the first one, that an instruction of another program must come after: all of it, or the
// tasks that write rows of input `rows_of` which the instruction reads.
struct After {
  int32_t call;
  int32_t rows_of = -1;
};

// How the instructions of a program run, as long as its tensors stay where they are.
struct Regions {
  std::vector<std::size_t> ends;  // of the region that begins at an instruction
  std::size_t deferred_from;      // instructions from here on are left to executor/deferred.h
  uint64_t number;                // no other program's, or binding's
  // Of each instruction of a program that runs while instructions of another one are deferred: which of those it must come
  // after. Kept for one other program.
  uint64_t after_number = 0;
  std::vector<std::vector<After>> after;
  // Deferred instructions in the order in which the program that came behind them last time needs them.
  std::vector<int32_t> order;
};

// Has neither stages, nor something to do behind its tasks, nor scratch memory.
bool joinable(const OpKernel& kernel);

// One of the calls writes where the other reads or writes.
bool touch(const OpCall& a, const OpCall& b);
bool writes_into(const OpCall& writer, const OpCall& other);
bool overlap(const TensorView& a, const TensorView& b);

}  // namespace espalier
