// status.h -- a failure inside the library: a status code of espalier.h, a sentence, and the instruction it concerns.
// Thrown between the files of this library only; c_abi.cc turns it into a status before anything leaves.
#pragma once
#include <cstdint>
#include <string>

namespace espalier {

struct Failure {
  int32_t status;
  std::string message;
  int64_t instruction = -1;
};

}  // namespace espalier
