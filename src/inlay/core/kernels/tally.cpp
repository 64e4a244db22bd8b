// How often each pair of values meets on two maps of bytes, and pixels that several masks cover.
#include <atomic>
#include <bit>

#include "simd.hpp"
#include "threads.hpp"

namespace {

// A table of pairs: values from n (or m) on share the last row (or column).
class Tally {
  public:
    Tally(size_t n, size_t m) : columns_(m + 1), table_((n + 1) * (m + 1), 0), second_(table_) {
        for (size_t v = 0; v < 256; ++v) {
            row_[v] = static_cast<uint32_t>(std::min(v, n) * columns_);
            column_[v] = static_cast<uint32_t>(std::min(v, m));
        }
    }
    void add(const uint8_t* a, const uint8_t* b, size_t pixels) {
        size_t i = 0;
        for (; i + 65 <= pixels; i += 64) {
            if (uniform64(a + i) && uniform64(b + i))
                at(a[i], b[i]) += 64;
            else
                stretches(a + i, b + i);
        }
        for (; i < pixels; ++i) ++at(a[i], b[i]);
    }
    void add_to(int64_t* sums) const {
        for (size_t k = 0; k < table_.size(); ++k) sums[k] += table_[k] + second_[k];
    }
    size_t cells() const { return table_.size(); }

  private:
    int64_t& at(uint8_t a, uint8_t b) { return table_[row_[a] + column_[b]]; }

    // 64 pixels, of which the next one may be looked at: by stretches where there are few of them.
    void stretches(const uint8_t* a, const uint8_t* b) {
        uint64_t ends = differ64(a, a + 1) | differ64(b, b + 1) | uint64_t{1} << 63;
        if (std::popcount(ends) > 20) {
            for (size_t k = 0; k < 64; k += 2) {  // two tables: a pair that follows itself need not wait
                ++at(a[k], b[k]);
                ++second_[row_[a[k + 1]] + column_[b[k + 1]]];
            }
            return;
        }
        for (int start = 0; ends; ends &= ends - 1) {
            const int last = std::countr_zero(ends);
            at(a[last], b[last]) += last + 1 - start;
            start = last + 1;
        }
    }

    size_t columns_;
    std::vector<int64_t> table_, second_;
    uint32_t row_[256], column_[256];
};

constexpr size_t BLOCK = size_t{1} << 17;

// (n + 1, m + 1) pixels of each pair of values; those from n (in a) or m (in b) on are counted together.
Numpy<int64_t> tally(Array1<uint8_t> a, Array1<uint8_t> b, size_t n, size_t m, int threads) {
    const size_t pixels = a.shape(0);
    if (b.shape(0) != pixels || n > 256 || m > 256) throw std::invalid_argument("maps do not fit together");
    auto out = new_numpy<int64_t>({n + 1, m + 1});
    int64_t* sums = out.data();
    nb::gil_scoped_release free;
    std::fill(sums, sums + (n + 1) * (m + 1), 0);
    std::vector<Tally> tallies(std::max<size_t>(pixels / 500'000, 1), Tally(0, 0));
    std::atomic<size_t> next{0};  // pixel; a thread that has only just been started takes less
    in_shares(pixels, static_cast<double>(pixels), 500'000, threads, [&](size_t t, size_t, size_t) {
        Tally own(n, m);
        for (size_t begin; (begin = next.fetch_add(BLOCK)) < pixels;)
            own.add(a.data() + begin, b.data() + begin, std::min(BLOCK, pixels - begin));
        tallies[t] = std::move(own);
    });
    for (const Tally& each : tallies)
        if (each.cells() == (n + 1) * (m + 1)) each.add_to(sums);
    return out;
}

// One mask: the pixels that at least `least` of the masks cover.
nb::tuple covered(Counts counts, Offsets offsets, uint64_t pixels, int64_t least) {
    RunBuilder out;
    {
        nb::gil_scoped_release free;
        std::vector<uint64_t> starts, stops;
        for (size_t i = 0; i + 1 < offsets.shape(0); ++i)
            each_run(counts.data(), offsets.data()[i], offsets.data()[i + 1],
                     [&](uint64_t start, uint64_t stop) { starts.push_back(start), stops.push_back(stop); });
        std::sort(starts.begin(), starts.end());
        std::sort(stops.begin(), stops.end());
        int64_t depth = 0;
        uint64_t from = 0;
        for (size_t i = 0, j = 0; j < stops.size();) {
            if (i < starts.size() && starts[i] <= stops[j]) {  // touching runs make one
                if (++depth == least) from = starts[i];
                ++i;
            } else {
                if (depth-- == least && from < stops[j]) out.foreground(from, stops[j]);
                ++j;
            }
        }
        out.finish(pixels);
    }
    return out.result();
}

}  // namespace

void bind_tally(nb::module_& m) {
    m.def("tally", &tally);
    m.def("covered", &covered);
}
