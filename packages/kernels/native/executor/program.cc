#include "executor/program.h"

#include "executor/device.h"
#include "executor/status.h"

namespace espalier {

namespace {

int64_t element_bytes(DType dtype) { return dtype == DType::bf16 ? 2 : 4; }
constexpr int64_t kMaxRank = 8;

[[noreturn]] void refuse(int64_t instruction, const std::string& message, int32_t status = ESPALIER_BAD_ARGUMENT) {
  throw Failure{status, message, instruction};
}

std::vector<std::string> split(const char* text) {
  std::vector<std::string> parts;
  std::string part;
  for (const char* c = text ? text : ""; *c; ++c) {
    if (*c == ',') {
      parts.push_back(part);
      part.clear();
    } else {
      part += *c;
    }
  }
  if (!part.empty()) parts.push_back(part);
  return parts;
}

double work_of(const OpCall& call, const OpKernel& kernel) {
  if (kernel.flops) return kernel.flops(call);
  double elements = 0;
  for (int32_t i = 0; i < call.num_inputs; ++i) elements += static_cast<double>(call.inputs[i].count);
  for (int32_t i = 0; i < call.num_outputs; ++i) elements += static_cast<double>(call.outputs[i].count);
  return 4 * elements;
}

}  // namespace

const OpKernel* find_op(const OpTable& table, const char* name) {
  for (int32_t i = 0; i < table.count; ++i) {
    if (table.kernels[i] && table.kernels[i]->name == std::string(name)) return table.kernels[i];
  }
  return nullptr;
}

Program::Program(std::shared_ptr<Executor> executor, const EspalierProgramSpec& spec)
    : executor_(std::move(executor)),
      arena_bytes_(spec.arena_bytes),
      runtime_bytes_(spec.runtime_bytes),
      output_bytes_(spec.output_bytes),
      runtime_(static_cast<std::size_t>(spec.runtime_bytes)),
      output_(static_cast<std::size_t>(spec.output_bytes)),
      nanoseconds_(static_cast<std::size_t>(spec.num_instructions)),
      calls_(static_cast<std::size_t>(spec.num_instructions)) {
  const int64_t region_bytes[] = {spec.arena_bytes, -1, spec.runtime_bytes, spec.output_bytes};
  for (int64_t id = 0; id < spec.num_tensors; ++id) {
    const EspalierTensorSpec& from = spec.tensors[id];
    const std::string name = "tensor " + std::to_string(id);
    if (from.dtype != ESPALIER_F32 && from.dtype != ESPALIER_I32 && from.dtype != ESPALIER_BF16) refuse(-1, name + ": unknown dtype.");
    if (from.dtype == ESPALIER_BF16 && !stores_bf16()) refuse(-1, name + ": is bf16, and this device keeps fp32 tensors.", ESPALIER_UNSUPPORTED);
    if (from.region < 0 || from.region > 3) refuse(-1, name + ": unknown region.");
    if (from.rank < 0 || from.rank > kMaxRank) refuse(-1, name + ": rank is outside 0..8.");
    Tensor tensor{{from.dims, from.dims + from.rank}, static_cast<DType>(from.dtype), from.region, from.offset, 1};
    for (const int64_t dim : tensor.dims) {
      if (dim < 0 || (dim && tensor.count > (int64_t(1) << 40) / dim)) refuse(-1, name + ": its size is out of range.");
      tensor.count *= dim;
    }
    if (tensor.region != ESPALIER_REGION_OWNED &&
        (tensor.offset < 0 || tensor.offset % 64 != 0 ||
         tensor.offset + tensor.count * element_bytes(tensor.dtype) > region_bytes[tensor.region])) {
      refuse(-1, name + ": its place is not a multiple of 64 bytes inside its region.");
    }
    tensors_.push_back(std::move(tensor));
  }
  bound_.resize(tensors_.size());
  for (int64_t i = 0; i < spec.num_instructions; ++i) instructions_.push_back(resolved(spec.instructions[i], i));
  for (Instruction& at : instructions_) {  // from here on the vectors stay where they are
    at.call = {at.input_views.data(), at.output_views.data(), static_cast<int32_t>(at.inputs.size()),
               static_cast<int32_t>(at.outputs.size()), at.attributes.data(), nullptr};
    at.work = work_of(at.call, *at.kernel);
    at.parallel = at.work >= executor_->parallel_grain();
    if (at.kernel->scratch_bytes) {
      const std::size_t bytes = at.kernel->scratch_bytes(at.call);
      if (bytes > scratch_bytes_) scratch_bytes_ = bytes;
    }
    if (at.kernel->thread_bytes) {
      const std::size_t bytes = at.kernel->thread_bytes(at.call);
      if (bytes > thread_bytes_) thread_bytes_ = bytes;
    }
  }
}

Program::~Program() {
  if (executor_->deferred().pending_of(this)) executor_->deferred().wait();
  if (executor_->last_program == this) executor_->last_program = nullptr;
}

const Program::Tensor& Program::tensor_at(int64_t id) const {
  if (id < 0 || id >= static_cast<int64_t>(tensors_.size())) refuse(-1, "there is no tensor " + std::to_string(id) + ".");
  return tensors_[static_cast<std::size_t>(id)];
}

Program::Instruction Program::resolved(const EspalierInstructionSpec& spec, int64_t index) const {
  Instruction made{};
  made.kernel = find_op(*executor_->path().table, spec.op);
  if (!made.kernel) {
    refuse(index, std::string("op \"") + spec.op + "\" is not in the native registry. Rebuild the addon, or use the "
           "reference executor.", ESPALIER_UNKNOWN_OP);
  }
  const std::vector<std::string> given = split(spec.attribute_names);
  std::vector<std::string> expected = split(made.kernel->attributes);
  for (std::string& name : expected) {
    const bool optional = name.back() == '?';  // 0 when it is left out
    if (optional) name.pop_back();
    std::size_t at = 0;
    while (at < given.size() && given[at] != name) ++at;
    if (at == given.size() && optional) {
      made.attributes.push_back(0);
      continue;
    }
    if (at == given.size()) refuse(index, std::string(spec.op) + ": attribute \"" + name + "\" is missing.");
    made.attributes.push_back(spec.attributes[at]);
  }
  for (const std::string& name : given) {
    bool known = false;
    for (const std::string& other : expected) known = known || other == name;
    if (!known) {
      refuse(index, std::string(spec.op) + ": attribute \"" + name + "\" is unknown, expected " +
             (expected.empty() ? "none" : made.kernel->attributes) + ".");
    }
  }
  const auto view_of = [&](int64_t id) {
    const Tensor& tensor = tensor_at(id);
    return TensorView{nullptr, tensor.dims.data(), static_cast<int32_t>(tensor.dims.size()), tensor.dtype, tensor.count};
  };
  made.inputs.assign(spec.inputs, spec.inputs + spec.num_inputs);
  made.outputs.assign(spec.outputs, spec.outputs + spec.num_outputs);
  for (const int64_t id : made.inputs) made.input_views.push_back(view_of(id));
  for (const int64_t id : made.outputs) made.output_views.push_back(view_of(id));
  return made;
}

void Program::bind(int64_t id, std::shared_ptr<Memory> buffer) {
  const Tensor& tensor = tensor_at(id);
  if (tensor.region != ESPALIER_REGION_OWNED) refuse(-1, "only owned tensors are bound; the others have a planned place.");
  if (static_cast<int64_t>(buffer->bytes()) != tensor.count * element_bytes(tensor.dtype)) {
    refuse(-1, "the buffer has " + std::to_string(buffer->bytes()) + " bytes, the tensor needs " +
           std::to_string(tensor.count * element_bytes(tensor.dtype)) + ".");
  }
  std::lock_guard<std::mutex> lock(mutex_);
  bound_[static_cast<std::size_t>(id)] = std::move(buffer);
  binding_changed_ = true;
}

void Program::submit(Job job, int64_t runtime_bytes, int64_t output_bytes) {
  if (runtime_bytes != runtime_bytes_ || output_bytes != output_bytes_) {
    refuse(-1, "runtime and output have " + std::to_string(runtime_bytes) + " and " + std::to_string(output_bytes) +
           " bytes, expected " + std::to_string(runtime_bytes_) + " and " + std::to_string(output_bytes_) + ".");
  }
  job.program = this;
  job.number = ++submitted_;
  executor_->submit(job);
}

void Program::cancel() { cancelled_through_ = submitted_.load(); }

bool Program::point_at_memory() {
  char* const arena = executor_->arena(static_cast<std::size_t>(arena_bytes_));
  char* const scratch = executor_->scratch(scratch_bytes_);
  std::lock_guard<std::mutex> lock(mutex_);
  if (!binding_changed_ && arena == seen_arena_ && scratch == seen_scratch_) return false;
  std::vector<char*> places(tensors_.size());
  for (std::size_t id = 0; id < tensors_.size(); ++id) {
    const Tensor& tensor = tensors_[id];
    switch (tensor.region) {
      case ESPALIER_REGION_OWNED:
        if (!bound_[id]) throw Failure{ESPALIER_NOT_BOUND, "tensor " + std::to_string(id) + " has no buffer. Bind it before the run."};
        places[id] = bound_[id]->data();
        break;
      case ESPALIER_REGION_RUNTIME: places[id] = runtime_.data() + tensor.offset; break;
      case ESPALIER_REGION_OUTPUT: places[id] = output_.data() + tensor.offset; break;
      default: places[id] = arena + tensor.offset;
    }
  }
  for (Instruction& at : instructions_) {
    for (std::size_t i = 0; i < at.inputs.size(); ++i) at.input_views[i].data = places[static_cast<std::size_t>(at.inputs[i])];
    for (std::size_t i = 0; i < at.outputs.size(); ++i) at.output_views[i].data = places[static_cast<std::size_t>(at.outputs[i])];
    at.call.scratch = scratch;
  }
  in_use_ = bound_;
  binding_changed_ = false;
  seen_arena_ = arena;
  seen_scratch_ = scratch;
  return true;
}

void Program::expect_not_cancelled(const Job& job, int64_t instruction) const {
  if (job.number <= cancelled_through_.load(std::memory_order_relaxed) || executor_->stopping()) {
    throw Failure{ESPALIER_CANCELLED, "the run was cancelled.", instruction};
  }
}

void Program::read_tensor(int64_t id, void* target, int64_t bytes) {
  const Tensor& tensor = tensor_at(id);
  if (bytes != tensor.count * element_bytes(tensor.dtype)) refuse(-1, "the target does not have the tensor's size.");
  if (!executor_->idle()) refuse(-1, "a run is under way. Await it before reading a tensor.");
  if (executor_->last_program != this) refuse(-1, "another program has used the arena since. Read before running it.");
  const char* from = nullptr;
  switch (tensor.region) {
    case ESPALIER_REGION_OWNED: from = in_use_[static_cast<std::size_t>(id)]->data(); break;
    case ESPALIER_REGION_RUNTIME: from = runtime_.data() + tensor.offset; break;
    case ESPALIER_REGION_OUTPUT: from = output_.data() + tensor.offset; break;
    default: from = seen_arena_ + tensor.offset;
  }
  executor_->deferred().wait();
  device_read(target, from, static_cast<std::size_t>(bytes));
}

void Program::profile(double* seconds, int64_t* calls, int64_t num_instructions) const {
  if (num_instructions != static_cast<int64_t>(instructions_.size())) refuse(-1, "the arrays have the wrong length.");
  executor_->deferred().wait();
  for (std::size_t i = 0; i < instructions_.size(); ++i) {
    seconds[i] = 1e-9 * static_cast<double>(nanoseconds_[i].load());
    calls[i] = calls_[i].load();
  }
}

}  // namespace espalier
