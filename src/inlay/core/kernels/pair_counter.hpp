// Counts of pairs of numbers.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

// Counts per pair of rows: open addressing, since an image has few pairs and very many pixel edges.
class PairCounter {
  public:
    explicit PairCounter(size_t start = 64) : slots_(start, Slot{EMPTY, 0}) {}

    void add(uint64_t key, int64_t amount) {
        if (key != last_key_) {
            last_key_ = key;
            last_ = find(key);
        }
        slots_[last_].count += amount;
    }
    // Sorted (key, count) pairs.
    std::vector<std::pair<uint64_t, int64_t>> sorted() const {
        std::vector<std::pair<uint64_t, int64_t>> out;
        out.reserve(used_);
        for (const Slot& slot : slots_)
            if (slot.key != EMPTY) out.emplace_back(slot.key, slot.count);
        std::sort(out.begin(), out.end());
        return out;
    }

  private:
    struct Slot {
        uint64_t key;
        int64_t count;
    };
    static constexpr uint64_t EMPTY = UINT64_MAX;

    size_t find(uint64_t key) {
        if (2 * (used_ + 1) > slots_.size()) grow();
        const size_t mask = slots_.size() - 1;
        size_t at = (key * 0x9E3779B97F4A7C15ull >> 32) & mask;
        while (slots_[at].key != EMPTY && slots_[at].key != key) at = (at + 1) & mask;
        if (slots_[at].key == EMPTY) {
            slots_[at].key = key;
            ++used_;
        }
        return at;
    }
    void grow() {
        std::vector<Slot> old(slots_.size() * 2, Slot{EMPTY, 0});
        old.swap(slots_);
        used_ = 0;
        for (const Slot& slot : old)
            if (slot.key != EMPTY) slots_[find(slot.key)].count = slot.count;
    }

    std::vector<Slot> slots_;
    size_t used_ = 0, last_ = 0;
    uint64_t last_key_ = EMPTY;
};
