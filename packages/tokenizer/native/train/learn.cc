#include "train/learn.h"

#include <algorithm>
#include <queue>
#include <string>
#include <string_view>
#include <unordered_map>

namespace espalier {
namespace {

using Count = std::int64_t;
constexpr std::uint32_t kNone = 0xffffffffu;

struct Pair {
  std::uint32_t left, right;
  Count count = 0;                     // occurrences in the corpus now
  std::vector<std::uint32_t> pieces;   // that held the pair at some time; one may stand there twice, or hold it no longer
};

// Pairs, numbered in order of first sight, found by their two tokens.
class PairTable {
 public:
  PairTable() : slots_(std::size_t(1) << 16) {}

  std::uint32_t index_of(std::uint32_t left, std::uint32_t right) {
    const std::uint64_t key = std::uint64_t(left) << 32 | right;
    std::size_t at = place(key);
    for (; slots_[at].index != kNone; at = (at + 1) & (slots_.size() - 1)) {
      if (slots_[at].key == key) return slots_[at].index;
    }
    const std::uint32_t index = std::uint32_t(pairs.size());
    slots_[at] = {key, index};
    pairs.push_back({left, right, 0, {}});
    if (pairs.size() * 2 > slots_.size()) grow();
    return index;
  }

  std::vector<Pair> pairs;

 private:
  struct Slot {
    std::uint64_t key = 0;
    std::uint32_t index = kNone;
  };
  std::size_t place(std::uint64_t key) const {
    key *= 0x9e3779b97f4a7c15u;
    return std::size_t((key ^ key >> 32) * 0xff51afd7ed558ccdu >> 24) & (slots_.size() - 1);
  }
  void grow() {
    std::vector<Slot> old(slots_.size() * 2);
    old.swap(slots_);
    for (const Slot& slot : old) {
      if (slot.index == kNone) continue;
      std::size_t at = place(slot.key);
      while (slots_[at].index != kNone) at = (at + 1) & (slots_.size() - 1);
      slots_[at] = slot;
    }
  }
  std::vector<Slot> slots_;
};

// A pair with its count when it was pushed. Greatest count first, then the lower left, then the lower right token.
struct Candidate {
  Count count;
  std::uint64_t order;  // left << 32 | right, bytes by their place
  std::uint32_t pair;
  bool operator<(const Candidate& other) const { return count != other.count ? count < other.count : order > other.order; }
};

class Learner {
 public:
  explicit Learner(const LearnRequest& request) : request_(request), symbols_(request.bytes, request.bytes + request.offsets[request.num_pieces]) {
    lengths_.resize(request.num_pieces);
    for (std::uint32_t p = 0; p < request.num_pieces; ++p) {
      const std::uint32_t begin = request.offsets[p], end = request.offsets[p + 1];
      lengths_[p] = end - begin;
      for (std::uint32_t i = begin; i + 1 < end; ++i) add(symbols_[i], symbols_[i + 1], Count(request.counts[p]), p);
    }
    for (std::uint32_t pair = 0; pair < table_.pairs.size(); ++pair) push(pair);
    for (unsigned byte = 0; byte < 256; ++byte) {
      tokens_.push_back(std::string(1, char(byte)));
      token_of_.emplace(tokens_.back(), byte);
    }
  }

  std::vector<std::uint32_t> run() {
    while (tokens_.size() < request_.size) {
      const std::uint32_t best = pop();
      if (best == kNone || double(table_.pairs[best].count) < request_.min_frequency) break;
      const std::uint32_t left = table_.pairs[best].left, right = table_.pairs[best].right;
      table_.pairs[best].count = 0;  // joined everywhere, or never to come up again
      std::string token = tokens_[left] + tokens_[right];
      if (token.size() > request_.max_token_bytes) continue;
      const auto known = token_of_.emplace(token, std::uint32_t(tokens_.size()));  // two different pairs can spell the same bytes
      if (known.second) {
        tokens_.push_back(std::move(token));
        result_.push_back(left);
        result_.push_back(right);
      }
      join(best, left, right, known.first->second);
    }
    return std::move(result_);
  }

 private:
  std::uint32_t add(std::uint32_t left, std::uint32_t right, Count weight, std::uint32_t piece) {
    const std::uint32_t index = table_.index_of(left, right);
    Pair& pair = table_.pairs[index];
    pair.count += weight;
    if (pair.pieces.empty() || pair.pieces.back() != piece) pair.pieces.push_back(piece);
    return index;
  }

  std::uint64_t place(std::uint32_t token) const { return token < 256 ? request_.order[token] : token; }

  void push(std::uint32_t index) {
    const Pair& pair = table_.pairs[index];
    queue_.push({pair.count, place(pair.left) << 32 | place(pair.right), index});
  }

  // The pair with the highest count now. Counts that fell since a push are noticed here; those that rose were pushed again.
  std::uint32_t pop() {
    while (!queue_.empty()) {
      const Candidate top = queue_.top();
      queue_.pop();
      const Count count = table_.pairs[top.pair].count;
      if (count == top.count && count > 0) return top.pair;
      if (count > 0 && count < top.count) push(top.pair);
    }
    return kNone;
  }

  void join(std::uint32_t best, std::uint32_t left, std::uint32_t right, std::uint32_t token) {
    std::vector<std::uint32_t> pieces;
    pieces.swap(table_.pairs[best].pieces);
    risen_.clear();
    for (const std::uint32_t p : pieces) lengths_[p] = join_in_piece(p, left, right, token);
    table_.pairs[best].count = 0;
    std::sort(risen_.begin(), risen_.end());
    risen_.erase(std::unique(risen_.begin(), risen_.end()), risen_.end());
    for (const std::uint32_t pair : risen_) push(pair);
  }

  // Replaces every (left, right) in one piece, left to right, and keeps the counts true. Returns the new length.
  std::uint32_t join_in_piece(std::uint32_t piece, std::uint32_t left, std::uint32_t right, std::uint32_t token) {
    std::uint32_t* const s = symbols_.data() + request_.offsets[piece];
    const std::uint32_t length = lengths_[piece];
    const Count weight = Count(request_.counts[piece]);
    std::uint32_t write = 0;
    for (std::uint32_t read = 0; read < length;) {
      if (s[read] != left || read + 1 >= length || s[read + 1] != right) {
        s[write++] = s[read++];
        continue;
      }
      if (write > 0) {
        const std::uint32_t before = s[write - 1];
        table_.pairs[table_.index_of(before, left)].count -= weight;
        rise(add(before, token, weight, piece));
      }
      if (read + 2 < length) {
        const std::uint32_t after = s[read + 2];
        table_.pairs[table_.index_of(right, after)].count -= weight;
        rise(add(token, after, weight, piece));
      }
      s[write++] = token;
      read += 2;
    }
    return write;
  }
  void rise(std::uint32_t pair) {
    if (risen_.empty() || risen_.back() != pair) risen_.push_back(pair);
  }

  const LearnRequest& request_;
  std::vector<std::uint32_t> symbols_;  // of piece p: [offsets[p] .. offsets[p] + lengths_[p])
  std::vector<std::uint32_t> lengths_;
  PairTable table_;
  std::priority_queue<Candidate> queue_;
  std::vector<std::string> tokens_;
  std::unordered_map<std::string, std::uint32_t> token_of_;
  std::vector<std::uint32_t> risen_;
  std::vector<std::uint32_t> result_;
};

}  // namespace

std::vector<std::uint32_t> learn(const LearnRequest& request) { return Learner(request).run(); }

}  // namespace espalier
