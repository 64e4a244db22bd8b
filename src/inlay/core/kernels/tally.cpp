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
        has_wide() ? add_wide(a, b, pixels) : add_by<Narrow>(a, b, pixels);
    }
    void add_to(int64_t* sums) const {
        for (size_t k = 0; k < table_.size(); ++k) sums[k] += table_[k] + second_[k];
    }
    size_t cells() const { return table_.size(); }

  private:
    static constexpr size_t ENDS = 1024;
    static constexpr int DENSE = 20;  // ends among 64 pixels from which on it is faster to look at each pixel

    INLAY_WIDE void add_wide(const uint8_t* a, const uint8_t* b, size_t pixels) { add_by<Wide>(a, b, pixels); }

    // By stretches of equal pairs, whose ends are gathered first: how many there are among 64 pixels cannot be foretold,
    // and wrong guesses would cost more than all the rest.
    template <typename T> void add_by(const uint8_t* a, const uint8_t* b, size_t pixels) {
        uint32_t ends[ENDS + 4];
        size_t i = 0, start = 0, count = 0;
        const auto flush = [&] {
            for (size_t k = 0; k < count; ++k) {
                const size_t last = ends[k];
                table_[row_[a[last]] + column_[b[last]]] += static_cast<int64_t>(last + 1 - start);
                start = last + 1;
            }
            count = 0;
        };
        const auto close = [&] {  // the stretch that reaches to i
            if (start < i) ends[count++] = static_cast<uint32_t>(i - 1);
            flush();
        };
        for (; i + 65 <= pixels; i += 64) {
            uint64_t bits = T::ends(a + i, b + i, 1);
            const auto found = static_cast<size_t>(std::popcount(bits));
            if (found > DENSE) {
                close();
                each_pixel(a + i, b + i, 64);
                start = i + 64;
                continue;
            }
            uint32_t* to = ends + count;
            count += found;
            const auto note = [&](size_t k) {
                to[k] = static_cast<uint32_t>(i) + static_cast<uint32_t>(std::countr_zero(bits));
                bits &= bits - 1;
            };
            note(0), note(1), note(2), note(3);  // needed or not
            for (size_t k = 4; k < found; ++k) note(k);
            if (count > ENDS - 64) flush();
        }
        close();
        each_pixel(a + i, b + i, pixels - i);
    }
    void each_pixel(const uint8_t* a, const uint8_t* b, size_t pixels) {
        for (size_t k = 0; k < pixels; ++k) {  // two tables: a pair that follows itself need not wait
            auto& table = k % 2 ? second_ : table_;
            ++table[row_[a[k]] + column_[b[k]]];
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
