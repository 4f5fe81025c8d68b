// runs.cc -- runs of a program.
//
// A run copies its runtime inputs in and its outputs out, so that no ArrayBuffer is touched outside the JavaScript thread.
// Runs work on the executor's own thread; their completion comes back through one thread-safe function an environment.
#include <cstring>
#include <string>
#include <vector>

#include "addon/arguments.h"
#include "addon/functions.h"
#include "addon/handles.h"

namespace espalier {
namespace addon {

namespace {

struct Run {
  Environment* environment;
  ProgramHandle* program;
  napi_ref program_reference;
  napi_ref output_reference;
  napi_deferred deferred;
  std::vector<char> runtime, output;
  int32_t status;
  std::string message;
  int64_t instruction;
};

}  // namespace

void settle(napi_env env, napi_value, void*, void* data) {
  Run* run = static_cast<Run*>(data);
  if (env) {
    napi_value value;
    if (run->status == ESPALIER_OK) {
      napi_get_reference_value(env, run->output_reference, &value);
      const Bytes target = bytes_of(env, value);
      if (target.length == static_cast<int64_t>(run->output.size())) {
        if (target.length) std::memcpy(target.data, run->output.data(), run->output.size());
        napi_resolve_deferred(env, run->deferred, undefined(env));
      } else {  // the caller transferred or resized it meanwhile
        napi_reject_deferred(env, run->deferred,
                             error_of(env, ESPALIER_BAD_ARGUMENT, "the output array changed its size during the run.", -1));
      }
    } else {
      napi_reject_deferred(env, run->deferred, error_of(env, run->status, run->message.c_str(), run->instruction));
    }
    if (--run->program->pending == 0 && run->program->released) release_program(run->program);
    napi_delete_reference(env, run->output_reference);
    napi_delete_reference(env, run->program_reference);
    if (--run->environment->pending == 0) napi_unref_threadsafe_function(env, run->environment->completions);
  }
  delete run;
}

// run(program, runtime, output) -> Promise
napi_value run(napi_env env, napi_callback_info info) {
  const Arguments arguments = arguments_of(env, info);
  auto* program = handle_of<ProgramHandle>(env, arguments.values[0]);
  if (!program) return nullptr;
  const Bytes runtime = bytes_of(env, arguments.values[1]);
  const Bytes output = bytes_of(env, arguments.values[2]);
  Run* made = new Run{};
  made->environment = arguments.environment;
  made->program = program;
  made->runtime.assign(runtime.data, runtime.data + runtime.length);
  made->output.resize(static_cast<std::size_t>(output.length));
  const EspalierDone done = [](void* context, int32_t status, const char* message, int64_t instruction) {
    Run* ended = static_cast<Run*>(context);
    ended->status = status;
    ended->message = message;
    ended->instruction = instruction;
    napi_call_threadsafe_function(ended->environment->completions, ended, napi_tsfn_nonblocking);
  };
  napi_value promise;
  napi_create_promise(env, &made->deferred, &promise);
  napi_create_reference(env, arguments.values[0], 1, &made->program_reference);
  napi_create_reference(env, arguments.values[2], 1, &made->output_reference);
  ++program->pending;
  if (++arguments.environment->pending == 1) napi_ref_threadsafe_function(env, arguments.environment->completions);
  const int32_t status = program->api->espalier_program_submit(program->program, made->runtime.data(), runtime.length,
                                                 made->output.data(), output.length, done, made);
  if (status != ESPALIER_OK) {
    made->status = status;
    made->message = program->api->espalier_last_error();
    made->instruction = program->api->espalier_last_error_instruction();
    settle(env, nullptr, nullptr, made);
  }
  return promise;
}

napi_value cancel(napi_env env, napi_callback_info info) {
  auto* program = handle_of<ProgramHandle>(env, arguments_of(env, info).values[0]);
  if (!program) return nullptr;
  program->api->espalier_program_cancel(program->program);
  return undefined(env);
}

}  // namespace addon
}  // namespace espalier
