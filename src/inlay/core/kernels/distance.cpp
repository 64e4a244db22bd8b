// Exact Euclidean distances to the nearest background pixel (Felzenszwalb and Huttenlocher, 2012), in squared pixels.
#include "columns.hpp"
#include "threads.hpp"

namespace {

constexpr int64_t NONE = INT64_MAX / 4;  // no background in sight

// Squared distances of a window of pixels to those that are 0; outside it there is background where `walled`.
class Distance {
  public:
    // `bitmap` and the result hold `lines` lines of `length` pixels.
    const std::vector<int64_t>& squared(const uint8_t* bitmap, size_t lines, size_t length, bool walled) {
        squared_.resize(lines * length);
        for (size_t a = 0; a < lines; ++a) along(bitmap + a * length, length, walled, squared_.data() + a * length);
        column_.resize(lines + 2);
        for (size_t b = 0; b < length; ++b) {
            size_t n = 0;
            if (walled) column_[n++] = 0;
            for (size_t a = 0; a < lines; ++a) column_[n++] = squared_[a * length + b];
            if (walled) column_[n++] = 0;
            envelope(n);
            for (size_t a = 0, k = 0; a < lines; ++a) {
                const size_t at = a + walled;
                while (k + 1 < sites_.size() && from_[k + 1] <= static_cast<int64_t>(at)) ++k;
                const int64_t d = static_cast<int64_t>(at) - static_cast<int64_t>(sites_.empty() ? 0 : sites_[k]);
                squared_[a * length + b] = sites_.empty() ? NONE : column_[sites_[k]] + d * d;
            }
        }
        return squared_;
    }

  private:
    static void along(const uint8_t* line, size_t n, bool walled, int64_t* out) {
        int64_t far = walled ? 0 : NONE;
        for (size_t i = 0; i < n; ++i) out[i] = far = line[i] ? std::min(far + 1, NONE) : 0;
        far = walled ? 0 : NONE;
        for (size_t i = n; i-- > 0;) {
            far = line[i] ? std::min(far + 1, NONE) : 0;
            out[i] = std::min(out[i], far);
            out[i] = out[i] >= NONE ? NONE : out[i] * out[i];
        }
    }
    // The parabolas of `column_` that are lowest somewhere: each is so from the whole number from_ on.
    void envelope(size_t n) {
        sites_.clear(), from_.clear();
        for (size_t q = 0; q < n; ++q) {
            if (column_[q] >= NONE) continue;
            int64_t from = 0;
            while (!sites_.empty()) {
                from = beats(sites_.back(), q);
                if (from > from_.back()) break;
                sites_.pop_back(), from_.pop_back();
            }
            if (sites_.empty()) from = 0;
            sites_.push_back(q), from_.push_back(from);
        }
    }
    // The first whole number at which the parabola at q lies no higher than the one at p < q.
    int64_t beats(size_t p, size_t q) const {
        const auto a = static_cast<int64_t>(p), b = static_cast<int64_t>(q);
        const int64_t over = column_[q] + b * b - column_[p] - a * a, under = 2 * (b - a);
        return over <= 0 ? 0 : (over + under - 1) / under;
    }

    std::vector<int64_t> squared_, column_, from_;
    std::vector<size_t> sites_;
};

// (H, W) squared distance of each pixel to the nearest one that is 0; -1 where there is none.
Numpy<int64_t> distance(Array2<uint8_t> bitmap, bool walled) {
    const size_t h = bitmap.shape(0), w = bitmap.shape(1);
    auto out = new_numpy<int64_t>({h, w});
    int64_t* data = out.data();
    nb::gil_scoped_release free;
    Distance distance;
    const auto& squared = distance.squared(bitmap.data(), h, w, walled);
    for (size_t i = 0; i < squared.size(); ++i) data[i] = squared[i] >= NONE ? -1 : squared[i];
    return out;
}

// (N, 3) of each mask x, y and squared distance of the pixel farthest from the background, which the outside of the
// image belongs to; the first of equals down the columns. Zeros for an empty mask.
Numpy<int64_t> innermost(Counts counts, Offsets offsets, uint64_t h, int threads) {
    const size_t n = offsets.shape(0) - 1;
    auto out = new_numpy<int64_t>({n, 3});
    int64_t* data = out.data();
    nb::gil_scoped_release free;
    in_shares(n, static_cast<double>(counts.shape(0)) * 32, 2e5, threads, [&](size_t, size_t begin, size_t end) {
        Distance distance;
        Columns mask;
        std::vector<uint8_t> bitmap;
        for (size_t i = begin; i < end; ++i) {
            mask.read(counts.data(), offsets.data()[i], offsets.data()[i + 1], h);
            int32_t top = INT32_MAX, bottom = 0;
            for (const Interval& piece : mask.pieces)
                top = std::min(top, piece.top), bottom = std::max(bottom, piece.bottom);
            const size_t rows = mask.pieces.empty() ? 0 : static_cast<size_t>(bottom - top);
            bitmap.assign(static_cast<size_t>(mask.size()) * rows, 0);
            for (size_t c = 0; c < static_cast<size_t>(mask.size()); ++c)
                for (const Interval& p : mask.at(mask.first + static_cast<int64_t>(c)))
                    std::memset(bitmap.data() + c * rows + (p.top - top), 1, static_cast<size_t>(p.bottom - p.top));
            const auto& squared = distance.squared(bitmap.data(), static_cast<size_t>(mask.size()), rows, true);
            const auto best = std::max_element(squared.begin(), squared.end());
            const int64_t at = best - squared.begin(), height = static_cast<int64_t>(rows);
            data[3 * i] = rows ? mask.first + at / height : 0;
            data[3 * i + 1] = rows ? top + at % height : 0;
            data[3 * i + 2] = rows ? *best : 0;
        }
    });
    return out;
}

}  // namespace

void bind_distance(nb::module_& m) {
    m.def("distance", &distance);
    m.def("innermost", &innermost);
}
