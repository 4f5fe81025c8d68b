// api.h -- the functions of espalier.h as a table, so that one caller serves several libraries that have them: the CPU
// executor linked with the addon, and device libraries opened at run time.
#pragma once
#include "espalier.h"

#define ESPALIER_FUNCTIONS(DO)       \
  DO(espalier_last_error)            \
  DO(espalier_last_error_instruction) \
  DO(espalier_has_instruction_path)  \
  DO(espalier_op_list)               \
  DO(espalier_device_summary)        \
  DO(espalier_collectives_check)     \
  DO(espalier_executor_create)       \
  DO(espalier_executor_instruction_path) \
  DO(espalier_executor_release)      \
  DO(espalier_executor_stop)         \
  DO(espalier_buffer_allocate)       \
  DO(espalier_buffer_write)          \
  DO(espalier_buffer_read)           \
  DO(espalier_buffer_release)        \
  DO(espalier_program_load)          \
  DO(espalier_program_scratch_bytes) \
  DO(espalier_program_bind)          \
  DO(espalier_program_submit)        \
  DO(espalier_program_cancel)        \
  DO(espalier_program_read_tensor)   \
  DO(espalier_program_profile)       \
  DO(espalier_program_release)

namespace espalier {

struct Api {
#define ESPALIER_MEMBER(name) decltype(&::name) name;
  ESPALIER_FUNCTIONS(ESPALIER_MEMBER)
#undef ESPALIER_MEMBER
};

}  // namespace espalier
