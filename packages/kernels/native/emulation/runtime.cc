#include "emulation/runtime.h"

#include <chrono>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <string>
#include <vector>

namespace espalier {
namespace emulation {

struct Graph {
  std::vector<std::function<void()>> work;
};
struct Stream {
  Graph* captured = nullptr;
  int number = 0;  // in the order of making, from 1; 0 is the default stream
};
struct Event {
  std::chrono::steady_clock::time_point at;
};

namespace {
thread_local cudaError_t last_error = cudaSuccess;
thread_local std::string last_sentence;
int streams_made = 0;

}  // namespace

void trace(const char* format, ...) {
  static FILE* const file = [] {
    const char* path = std::getenv("ESPALIER_EMULATION_TRACE");
    FILE* opened = path ? std::fopen(path, "a") : nullptr;
    if (opened) std::setvbuf(opened, nullptr, _IOLBF, 4096);
    return opened;
  }();
  if (!file) return;
  std::va_list arguments;
  va_start(arguments, format);
  std::vfprintf(file, format, arguments);
  va_end(arguments);
  std::fputc('\n', file);
}

namespace {
int number_of(const Stream* stream) { return stream ? stream->number : 0; }

cudaError_t failed(cudaError_t error, const char* sentence) {
  last_sentence = sentence;
  return last_error = error;
}
}  // namespace

cudaError_t enqueue(Stream* stream, std::function<void()> work) {
  if (stream && stream->captured) {
    stream->captured->work.push_back(std::move(work));
    return cudaSuccess;
  }
  try {
    work();
    return cudaSuccess;
  } catch (const std::exception& thrown) {
    return failed(cudaErrorLaunchFailure, thrown.what());
  }
}

}  // namespace emulation
}  // namespace espalier

using espalier::emulation::enqueue;
using espalier::emulation::failed;
using espalier::emulation::Graph;
using espalier::emulation::number_of;
using espalier::emulation::trace;

cudaError_t cudaGetDeviceCount(int* count) {
  *count = 1;
  return cudaSuccess;
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int) {
  *value = attribute == cudaDevAttrMultiProcessorCount ? 4 : attribute == cudaDevAttrComputeCapabilityMajor ? 8 : 0;
  return cudaSuccess;
}

cudaError_t cudaMallocHost(void** pointer, std::size_t bytes) {
  trace("allocate %zu", bytes);
  *pointer = std::aligned_alloc(256, (bytes + 256) / 256 * 256);
  return *pointer ? cudaSuccess : failed(cudaErrorMemoryAllocation, "out of memory");
}
cudaError_t cudaFreeHost(void* pointer) {
  std::free(pointer);
  return cudaSuccess;
}
// Not zero, as on a device.
cudaError_t cudaMalloc(void** pointer, std::size_t bytes) {
  const cudaError_t error = cudaMallocHost(pointer, bytes);
  if (error != cudaSuccess) return error;
  std::memset(*pointer, 0xff, bytes);
  trace("device memory %zu at %p", bytes, *pointer);
  return error;
}
cudaError_t cudaFree(void* pointer) {
  if (pointer) trace("device memory free at %p", pointer);
  return cudaFreeHost(pointer);
}

cudaError_t cudaMemset(void* pointer, int value, std::size_t bytes) {
  trace("memset and wait");
  std::memset(pointer, value, bytes);
  return cudaSuccess;
}
cudaError_t cudaMemcpy(void* target, const void* source, std::size_t bytes, cudaMemcpyKind) {
  trace("copy and wait %zu", bytes);
  std::memmove(target, source, bytes);
  return cudaSuccess;
}
cudaError_t cudaMemsetAsync(void* pointer, int value, std::size_t bytes, cudaStream_t stream) {
  return enqueue(stream, [=] { std::memset(pointer, value, bytes); });
}
cudaError_t cudaMemcpyAsync(void* target, const void* source, std::size_t bytes, cudaMemcpyKind kind, cudaStream_t stream) {
  const char* const kinds[] = {"", "to the device", "to the host", "on the device"};
  trace("copy %s %zu on stream %d", kinds[kind], bytes, number_of(stream));
  return enqueue(stream, [=] { std::memmove(target, source, bytes); });
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  *stream = new espalier::emulation::Stream;
  (*stream)->number = ++espalier::emulation::streams_made;
  return cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  delete stream;
  return cudaSuccess;
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  trace("wait for stream %d", number_of(stream));
  return cudaSuccess;
}
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t, unsigned) {
  trace("stream %d waits for an event", number_of(stream));
  return cudaSuccess;
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  if (stream->captured) return failed(cudaErrorInvalidValue, "the stream is captured already");
  trace("capture begins");
  stream->captured = new Graph;
  return cudaSuccess;
}
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  if (!stream->captured) return failed(cudaErrorInvalidValue, "the stream is not captured");
  trace("capture ends with %zu", stream->captured->work.size());
  *graph = stream->captured;
  stream->captured = nullptr;
  return cudaSuccess;
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t graph, unsigned long long) {
  *exec = new Graph(*graph);
  return cudaSuccess;
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream) {
  trace("replay on stream %d", number_of(stream));
  return enqueue(stream, [exec] {
    for (const auto& work : exec->work) work();
  });
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete graph;
  return cudaSuccess;
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec) { return cudaGraphDestroy(exec); }

cudaError_t cudaEventCreate(cudaEvent_t* event) {
  *event = new espalier::emulation::Event;
  return cudaSuccess;
}
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  delete event;
  return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t) {
  event->at = std::chrono::steady_clock::now();
  return cudaSuccess;
}
cudaError_t cudaEventSynchronize(cudaEvent_t) {
  trace("wait for an event");
  return cudaSuccess;
}
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t begin, cudaEvent_t end) {
  *milliseconds = std::chrono::duration<float, std::milli>(end->at - begin->at).count();
  return cudaSuccess;
}

cudaError_t cudaGetLastError() {
  const cudaError_t error = espalier::emulation::last_error;
  espalier::emulation::last_error = cudaSuccess;
  return error;
}
const char* cudaGetErrorString(cudaError_t error) {
  return error == cudaSuccess ? "no error" : espalier::emulation::last_sentence.c_str();
}
