// treat_pool.h -- threads that make ids of batches of JSON lines: texts out of the lines, their digests, their ids.
//
// A batch is taken apart by one thread and encoded by the same or another. Half of the threads encode whatever waits to
// be encoded before they take lines apart, the others do it the other way round: the first so stay at encoding, with
// their tables of pieces in the caches of their core, while nothing waits that any thread could do.
#pragma once
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "lines/texts_of_lines.h"
#include "owned_encoder.h"

namespace espalier {

// A batch, and what became of it.
struct Treatment {
  Bytes lines;
  std::uint32_t* ids;  // [ids_capacity]
  std::size_t ids_capacity;
  void* owner;  // of whoever gave it

  LineTexts texts;
  std::vector<std::uint8_t> hashes;      // the first 16 bytes of each digest [16 * documents]
  std::vector<double> positions;         // in the split [documents]
  std::vector<std::uint32_t> id_ends;    // separators included [documents]
  std::unique_ptr<std::uint8_t[]> room;  // of the texts
  std::size_t room_bytes = 0;
  std::size_t ids_needed = 0;  // room that is enough, where the ids do not fit: one for each byte of the texts and each text, and kOutputSlack
  const char* problem = nullptr;
};

// What a pool owns a copy of: threads make their encoders while whoever asked goes on.
struct PoolDefinition {
  std::vector<std::uint8_t> tokens, classes;
  std::vector<std::uint32_t> offsets;
  Pattern pattern;
  std::vector<std::uint32_t> ids;  // of every rank; empty: the rank itself
  std::string field;
  std::uint32_t separator;
};

class TreatPool {
 public:
  // `on_done` is called by a thread of the pool whenever a batch is done.
  TreatPool(PoolDefinition definition, std::size_t threads, std::function<void()> on_done);
  ~TreatPool() { stop(); }

  void submit(std::unique_ptr<Treatment> treatment);
  // Those done since the last call, in any order.
  std::vector<std::unique_ptr<Treatment>> take_done();
  // Returns once no thread is at work; what was not done comes with a problem from `take_done`.
  void stop();

 private:
  using Queue = std::deque<std::unique_ptr<Treatment>>;

  void work(std::size_t number);
  void take_apart(Treatment& treatment);
  const char* encode(OwnedEncoder* encoder, Treatment& treatment);
  void give_room(Treatment& treatment);

  PoolDefinition definition_;
  const std::function<void()> on_done_;
  std::mutex mutex_;
  std::condition_variable waiting_;
  Queue lines_, texts_;
  std::vector<std::unique_ptr<Treatment>> done_;
  std::vector<std::pair<std::unique_ptr<std::uint8_t[]>, std::size_t>> rooms_;  // to be used again
  std::size_t num_threads_;
  bool stops_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace espalier
