/* espalier.h -- the C interface of the native executor.
 *
 * Rules of the boundary: C types only, sizes of 64 bits, opaque handles, nothing thrown. Every function returns a
 * status (0 is success); the sentence of the last failure on the calling thread is espalier_last_error(), and
 * espalier_last_error_instruction() is the index of the instruction it concerns, or -1. Every struct begins with its
 * own size, set by the caller, so that a newer library can tell an older caller.
 *
 * Handles are counted inside: releasing an executor or a buffer that a program still uses is allowed.
 */
#ifndef ESPALIER_H
#define ESPALIER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(_WIN32)
#define ESPALIER_API __declspec(dllexport)
#else
#define ESPALIER_API __attribute__((visibility("default")))
#endif

enum {
  ESPALIER_OK = 0,
  ESPALIER_BAD_ARGUMENT = 1,   /* sizes, ids, names or attributes that do not fit */
  ESPALIER_UNKNOWN_OP = 2,     /* an op name that the registry does not have */
  ESPALIER_OUT_OF_MEMORY = 3,
  ESPALIER_UNSUPPORTED = 4,    /* an instruction path that this machine or this build lacks */
  ESPALIER_CANCELLED = 5,
  ESPALIER_NOT_BOUND = 6,      /* a run before every owned tensor has a buffer */
  ESPALIER_INTERNAL = 7,
  ESPALIER_DEVICE = 8          /* the device or its driver refused; the sentence says what */
};

typedef struct EspalierExecutor EspalierExecutor;
typedef struct EspalierBuffer EspalierBuffer;
typedef struct EspalierProgram EspalierProgram;

typedef struct EspalierExecutorOptions {
  uint64_t struct_size;
  int64_t num_threads;          /* the executor's own thread included; at least 1 */
  const char* instruction_path; /* "portable", "avx2", "avx512", "avx512bf16"; NULL: the best of this machine */
  double parallel_grain;        /* ops of fewer FLOPs run on one thread; negative: the measured default */
} EspalierExecutorOptions;

enum { ESPALIER_REGION_ARENA = 0, ESPALIER_REGION_OWNED = 1, ESPALIER_REGION_RUNTIME = 2, ESPALIER_REGION_OUTPUT = 3 };
enum { ESPALIER_F32 = 0, ESPALIER_I32 = 1, ESPALIER_BF16 = 2 /* 2 bytes; CUDA alone */ };

typedef struct EspalierTensorSpec {
  uint64_t struct_size;
  int64_t dtype;
  int64_t region;
  int64_t rank;
  const int64_t* dims;
  int64_t offset; /* bytes from the start of its region; ignored for owned tensors */
} EspalierTensorSpec;

typedef struct EspalierInstructionSpec {
  uint64_t struct_size;
  const char* op;
  const char* attribute_names; /* comma-separated, in the order of attributes; compared with the registry */
  const double* attributes;
  const int64_t* inputs; /* indices into EspalierProgramSpec.tensors */
  int64_t num_inputs;
  const int64_t* outputs;
  int64_t num_outputs;
} EspalierInstructionSpec;

typedef struct EspalierProgramSpec {
  uint64_t struct_size;
  const EspalierTensorSpec* tensors;
  int64_t num_tensors;
  const EspalierInstructionSpec* instructions;
  int64_t num_instructions;
  int64_t arena_bytes;
  int64_t runtime_bytes;
  int64_t output_bytes;
} EspalierProgramSpec;

ESPALIER_API const char* espalier_last_error(void);
ESPALIER_API int64_t espalier_last_error_instruction(void);

/* 1 when this build and this processor have the path, else 0. */
ESPALIER_API int32_t espalier_has_instruction_path(const char* name);
/* Comma-separated `op(attribute,attribute)` entries, separated by ';', of the registry. Static storage. */
ESPALIER_API const char* espalier_op_list(void);
/* One line about the device, its libraries and what was tried to reach them, for people. Static storage. */
ESPALIER_API const char* espalier_device_summary(void);
/* Sums numbers on the device over one rank, this process alone, through NCCL: what can be known of it on one device.
 * ESPALIER_UNSUPPORTED, with what was tried, where there is none; ESPALIER_DEVICE when a call of it fails or sums differ. */
ESPALIER_API int32_t espalier_collectives_check(void);

ESPALIER_API int32_t espalier_executor_create(const EspalierExecutorOptions* options, EspalierExecutor** executor);
ESPALIER_API const char* espalier_executor_instruction_path(const EspalierExecutor* executor);
ESPALIER_API void espalier_executor_release(EspalierExecutor* executor);
/* Cancels what runs or waits, joins the threads. The handle stays valid until released; later runs are refused. */
ESPALIER_API void espalier_executor_stop(EspalierExecutor* executor);

/* Zero-filled, 64-byte aligned memory; huge pages are asked for when it is large. */
ESPALIER_API int32_t espalier_buffer_allocate(EspalierExecutor* executor, int64_t bytes, EspalierBuffer** buffer);
ESPALIER_API int32_t espalier_buffer_write(EspalierBuffer* buffer, int64_t offset, const void* source, int64_t bytes);
ESPALIER_API int32_t espalier_buffer_read(const EspalierBuffer* buffer, int64_t offset, void* target, int64_t bytes);
ESPALIER_API void espalier_buffer_release(EspalierBuffer* buffer);

ESPALIER_API int32_t espalier_program_load(EspalierExecutor* executor, const EspalierProgramSpec* spec,
                                           EspalierProgram** program);
/* Working memory that the ops of the program need beside the arena; shared by the programs of an executor. */
ESPALIER_API int64_t espalier_program_scratch_bytes(const EspalierProgram* program);
ESPALIER_API int32_t espalier_program_bind(EspalierProgram* program, int64_t tensor, EspalierBuffer* buffer);

/* Called on the executor's thread when a submitted run has ended; `message` lives until the call returns. */
typedef void (*EspalierDone)(void* context, int32_t status, const char* message, int64_t instruction);

/* Queues one run on the executor's thread. `runtime` and `output` must stay valid until `done` is called. */
ESPALIER_API int32_t espalier_program_submit(EspalierProgram* program, const void* runtime, int64_t runtime_bytes,
                                             void* output, int64_t output_bytes, EspalierDone done, void* context);
/* Asks the runs of this program that wait or run now to end with ESPALIER_CANCELLED at the next instruction. */
ESPALIER_API void espalier_program_cancel(EspalierProgram* program);
/* Copies a tensor as the last run left it. Refused while a run of the executor is under way. */
ESPALIER_API int32_t espalier_program_read_tensor(EspalierProgram* program, int64_t tensor, void* target, int64_t bytes);
/* Seconds and calls of every instruction since loading; arrays of num_instructions entries. */
ESPALIER_API int32_t espalier_program_profile(EspalierProgram* program, double* seconds, int64_t* calls,
                                              int64_t num_instructions);
/* Only after every submitted run has called `done`. */
ESPALIER_API void espalier_program_release(EspalierProgram* program);

#ifdef __cplusplus
}
#endif
#endif
