// libraries.h -- NVIDIA's libraries that are used when they are there: opened at run time, with prototypes of our own, so
// that neither their headers nor their presence is needed to build or to install.
#pragma once
#include <string>
#include <vector>

namespace espalier {

// A library looked for under several names and in several places.
struct OpenedLibrary {
  void* handle = nullptr;          // null: absent
  std::string path;                // what was opened
  std::vector<std::string> tried;  // each name or path, with what the loader said

  // "libcublasLt.so.13", or what was tried.
  std::string sentence(const char* name) const;
};

// `base` is "cublasLt" or "nccl"; `versions` the major versions to try, newest first. Looked for: the directory named by
// ESPALIER_CUDA_LIBRARIES, the loader's own path, CUDA_HOME and CUDA_PATH, /usr/local/cuda, and the places where Python
// wheels keep it, under VIRTUAL_ENV and CONDA_PREFIX.
OpenedLibrary open_library(const char* base, const std::vector<int>& versions);

const OpenedLibrary& cublas_lt_library();
const OpenedLibrary& nccl_library();

// One line for people.
std::string libraries_summary();

}  // namespace espalier
