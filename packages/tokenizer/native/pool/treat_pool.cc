#include "pool/treat_pool.h"

#include <new>

#include "digest/sha256.h"
#include "instruction_set.h"

namespace espalier {
namespace {

constexpr std::size_t kHashBytes = 16;
// One batch of a long line must not hold its memory for ever.
constexpr std::size_t kKeptRoomBytes = std::size_t(8) << 20;
constexpr const char* kOutOfMemory = "tokenizer: out of memory";

}  // namespace

TreatPool::TreatPool(PoolDefinition definition, std::size_t threads, std::function<void()> on_done)
    : definition_(std::move(definition)), on_done_(std::move(on_done)), num_threads_(threads) {
  try {
    for (std::size_t number = 0; number < threads; ++number) threads_.emplace_back([this, number] { work(number); });
  } catch (...) {
    stop();
    throw;
  }
}

void TreatPool::submit(std::unique_ptr<Treatment> treatment) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    lines_.push_back(std::move(treatment));
  }
  waiting_.notify_one();
}

std::vector<std::unique_ptr<Treatment>> TreatPool::take_done() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return std::move(done_);
}

void TreatPool::stop() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stops_ = true;
  }
  waiting_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  for (Queue* queue : {&lines_, &texts_}) {
    for (auto& treatment : *queue) {
      treatment->problem = "tokenizer: the threads were stopped";
      done_.push_back(std::move(treatment));
    }
    queue->clear();
  }
}

void TreatPool::work(std::size_t number) {
  const PoolDefinition& d = definition_;
  std::unique_ptr<OwnedEncoder> encoder;
  const char* trouble = "tokenizer: the vocabulary is not usable";
  try {
    encoder = OwnedEncoder::create(*find_encode_core(nullptr),
                                   {d.tokens.data(), d.offsets.data(), std::uint32_t(d.offsets.size() - 1), d.classes.data(), d.pattern});
  } catch (const std::bad_alloc&) {
    trouble = kOutOfMemory;
  }
  const bool encodes_first = 2 * number < num_threads_;
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    waiting_.wait(lock, [this] { return stops_ || !lines_.empty() || !texts_.empty(); });
    if (stops_) return;
    const bool encodes = encodes_first ? !texts_.empty() : lines_.empty();
    Queue& queue = encodes ? texts_ : lines_;
    std::unique_ptr<Treatment> treatment = std::move(queue.front());
    queue.pop_front();
    if (!encodes && !rooms_.empty()) {
      treatment->room = std::move(rooms_.back().first);
      treatment->room_bytes = rooms_.back().second;
      rooms_.pop_back();
    }
    lock.unlock();
    bool is_done = true;
    try {
      if (encodes) {
        treatment->problem = encoder ? this->encode(encoder.get(), *treatment) : trouble;
      } else {
        take_apart(*treatment);
        is_done = false;
      }
    } catch (const std::bad_alloc&) {
      treatment->problem = kOutOfMemory;
    }
    lock.lock();
    if (is_done) {
      give_room(*treatment);
      done_.push_back(std::move(treatment));
      lock.unlock();
      on_done_();
      lock.lock();
    } else {
      texts_.push_back(std::move(treatment));
      waiting_.notify_one();
    }
  }
}

void TreatPool::take_apart(Treatment& treatment) {
  const std::size_t needed = texts_room(treatment.lines.size);
  if (treatment.room_bytes < needed) {
    treatment.room.reset();
    treatment.room.reset(new std::uint8_t[needed]);  // not zeroed
    treatment.room_bytes = needed;
  }
  const auto* const field = reinterpret_cast<const std::uint8_t*>(definition_.field.data());
  treatment.texts = texts_of_lines(treatment.lines, {field, definition_.field.size()}, treatment.room.get());
  const std::vector<std::uint32_t>& ends = treatment.texts.ends;
  std::vector<std::uint8_t> digests(kDigestBytes * ends.size());
  sha256_texts(treatment.room.get(), ends.data(), ends.size(), digests.data());
  treatment.positions.resize(ends.size());
  split_positions(digests.data(), ends.size(), treatment.positions.data());
  treatment.hashes.resize(kHashBytes * ends.size());
  for (std::size_t i = 0; i < ends.size(); ++i) {
    for (std::size_t k = 0; k < kHashBytes; ++k) treatment.hashes[kHashBytes * i + k] = digests[kDigestBytes * i + k];
  }
}

const char* TreatPool::encode(OwnedEncoder* encoder, Treatment& treatment) {
  const std::vector<std::uint32_t>& ends = treatment.texts.ends;
  const std::size_t size = ends.empty() ? 0 : ends.back();
  treatment.id_ends.resize(ends.size());
  std::size_t written = 0;
  const char* const problem = encoder->encode_documents(treatment.room.get(), size, ends.data(), ends.size(), definition_.separator, treatment.ids,
                                                        treatment.ids_capacity, treatment.id_ends.data(), written);
  if (problem == kNoRoomForIds) {
    treatment.ids_needed = size + ends.size() + kOutputSlack;
    return nullptr;
  }
  if (problem || definition_.ids.empty()) return problem;
  std::size_t at = 0;
  for (const std::uint32_t end : treatment.id_ends) {
    for (; at + 1 < end; ++at) treatment.ids[at] = definition_.ids[treatment.ids[at]];
    at = end;  // the separator is an id already
  }
  return nullptr;
}

// With the mutex held.
void TreatPool::give_room(Treatment& treatment) {
  if (treatment.room && treatment.room_bytes <= kKeptRoomBytes) rooms_.emplace_back(std::move(treatment.room), treatment.room_bytes);
  treatment.room.reset();
}

}  // namespace espalier
