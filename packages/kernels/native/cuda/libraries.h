// libraries.h -- NVIDIA's libraries that are used when they are there: opened at run time, with prototypes of our own, so
// that neither their headers nor their presence is needed to build or to install.
#pragma once
#include <string>
#include <vector>

namespace espalier {

// A library looked for under several names and in several places.
struct OpenedLibrary {
  std::string name;                // for people: "cuBLASLt"
  void* handle = nullptr;          // null: absent
  std::string path;                // what was opened
  std::vector<std::string> tried;  // each path, with the loader's reason where a file was there

  // "cuBLASLt from libcublasLt.so.13", or what was tried.
  std::string sentence() const;
  // Throws Failure (ESPALIER_UNSUPPORTED) that says what was tried, when the library is absent.
  void expect_there(const char* where) const;
  // The function of that name. Throws Failure (ESPALIER_UNSUPPORTED) when the library lacks it.
  void* function(const char* symbol) const;
};

// `base` is "cublasLt" or "nccl"; `versions` the major versions to try, newest first. Looked for: the directories named by
// ESPALIER_CUDA_LIBRARIES (with : between them), the loader's own path, CUDA_HOME and CUDA_PATH, /usr/local/cuda, and the
// places where Python wheels keep it: VIRTUAL_ENV, CONDA_PREFIX, ~/.local, /usr/local and /usr.
OpenedLibrary open_library(const char* name, const char* base, const std::vector<int>& versions);

const OpenedLibrary& cublas_lt_library();
const OpenedLibrary& nccl_library();

// One line for people.
std::string libraries_summary();

}  // namespace espalier
