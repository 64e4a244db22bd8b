// How many pixels two masks share.
#pragma once
#include "runs.hpp"

// Foreground of many masks as [start, stop), so that a pair can be entered in the middle.
struct Stretches {
    std::vector<uint32_t> start, stop;
    std::vector<size_t> ends{0};

    Stretches(std::vector<uint32_t> from, std::vector<uint32_t> to, std::vector<size_t> of)
        : start(std::move(from)), stop(std::move(to)), ends(std::move(of)) {}
    Stretches(const Counts& counts, const Offsets& offsets) {
        const size_t n = offsets.shape(0) - 1;
        start.reserve(counts.shape(0) / 2), stop.reserve(counts.shape(0) / 2), ends.reserve(n + 1);
        for (size_t i = 0; i < n; ++i) {
            each_run(counts.data(), offsets.data()[i], offsets.data()[i + 1], [&](uint64_t from, uint64_t to) {
                start.push_back(static_cast<uint32_t>(from));
                stop.push_back(static_cast<uint32_t>(to));
            });
            ends.push_back(start.size());
        }
    }
    // Appends a mask that was just built.
    void add(const RunBuilder& built) {
        each_run(built.counts.data(), 0, static_cast<int64_t>(built.counts.size()), [&](uint64_t from, uint64_t to) {
            start.push_back(static_cast<uint32_t>(from)), stop.push_back(static_cast<uint32_t>(to));
        });
        ends.push_back(start.size());
    }
    void clear() { start.clear(), stop.clear(), ends.assign(1, 0); }
    template <typename F> void each(size_t i, F piece) const {
        for (size_t k = ends[i]; k < ends[i + 1]; ++k) piece(start[k], stop[k]);
    }
    int64_t area(size_t i) const {
        int64_t sum = 0;
        each(i, [&](uint32_t from, uint32_t to) { sum += to - from; });
        return sum;
    }
    // First stretch of mask i that ends after `position`.
    size_t from(size_t i, uint32_t position) const {
        const auto begin = stop.begin() + static_cast<int64_t>(ends[i]);
        const auto end = stop.begin() + static_cast<int64_t>(ends[i + 1]);
        return static_cast<size_t>(std::upper_bound(begin, end, position) - stop.begin());
    }
};

inline int64_t shared_pixels(const Stretches& a, size_t i, const Stretches& b, size_t j) {
    const size_t na = a.ends[i + 1], nb_ = b.ends[j + 1];
    size_t p = a.from(i, b.start[b.ends[j]]), q = b.from(j, a.start[a.ends[i]]);
    int64_t sum = 0;
    while (p < na && q < nb_) {
        const int64_t low = std::max(a.start[p], b.start[q]), as = a.stop[p], bs = b.stop[q];
        sum += std::max<int64_t>(std::min(as, bs) - low, 0);
        p += as <= bs;  // without branches: which of the two ends first cannot be guessed
        q += bs <= as;
    }
    return sum;
}
