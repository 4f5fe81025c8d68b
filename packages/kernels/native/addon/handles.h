// handles.h -- what stands behind the externals that JavaScript holds, and the state of one environment.
//
// Handles are released explicitly or when they are collected.
#pragma once
#include <node_api.h>

#include <cstdint>
#include <memory>
#include <set>

#include "espalier.h"
#include "executor/api.h"

namespace espalier {
namespace addon {

struct Environment;

struct ExecutorHandle {
  const Api* api;
  EspalierExecutor* executor;
  std::shared_ptr<Environment> environment;  // finalizers may run after the instance data is gone
};
struct BufferHandle {
  const Api* api;
  EspalierBuffer* buffer;
  int64_t bytes;
};
struct ProgramHandle {
  const Api* api;
  EspalierProgram* program;
  int pending;    // runs submitted and not yet settled
  bool released;  // asked for while runs were pending
};

// One environment (the main thread or a worker) of this addon.
struct Environment {
  napi_threadsafe_function completions = nullptr;
  int pending = 0;
  std::set<ExecutorHandle*> executors;
};

// The library of an optional argument: the addon's own CPU executor when it is undefined.
const Api& library_of(napi_env env, napi_value value);

// Frees the program itself; its handle stays until it is collected.
void release_program(ProgramHandle* handle);

// On the JavaScript thread, when a run has ended; `env` is null while the environment is torn down.
void settle(napi_env env, napi_value, void*, void* data);

}  // namespace addon
}  // namespace espalier
