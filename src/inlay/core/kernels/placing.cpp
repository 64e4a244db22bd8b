// Masks moved to an image of another size: cut out, shifted, mirrored, turned, scaled. Column by column on run lengths.
#include "columns.hpp"
#include "threads.hpp"

namespace {

constexpr double GRAIN = 2e5;  // runs worth a thread of their own

// Each share of the masks gets a function of its own from make(), which takes the columns of a mask and a builder.
template <typename F>
nb::tuple place_each(const Counts& counts, const Offsets& offsets, uint64_t h, double cost, F make) {
    const size_t n = offsets.shape(0) - 1;
    if (h > INT32_MAX) throw std::invalid_argument("an image is too high");
    RunBuilder out;
    {
        nb::gil_scoped_release free;
        out = build_in_shares(n, cost, GRAIN, 0, [&](size_t begin, size_t end, RunBuilder& part) {
            Columns mask;
            auto place = make();
            for (size_t i = begin; i < end; ++i) {
                mask.read(counts.data(), offsets.data()[i], offsets.data()[i + 1], h);
                place(mask, part);
            }
        });
    }
    return out.result();
}

// The window of `rows` x `columns` pixels at (x0, y0), which may lie outside the image: there is nothing there.
nb::tuple window(Counts counts, Offsets offsets, uint64_t h, int64_t x0, int64_t y0, uint64_t rows, uint64_t columns) {
    return place_each(counts, offsets, h, static_cast<double>(counts.shape(0)), [=] {
        return [=](const Columns& mask, RunBuilder& out) {
            const int64_t last = std::min(mask.last(), x0 + static_cast<int64_t>(columns));
            for (int64_t x = std::max(mask.first, x0); x < last; ++x)
                for (const Interval& piece : mask.at(x)) {
                    const auto top = static_cast<uint64_t>(std::max<int64_t>(piece.top - y0, 0));
                    const int64_t bottom = std::min(piece.bottom - y0, static_cast<int64_t>(rows));
                    const uint64_t base = static_cast<uint64_t>(x - x0) * rows;
                    if (bottom > static_cast<int64_t>(top))
                        out.foreground(base + top, base + static_cast<uint64_t>(bottom));
                }
            out.finish(rows * columns);
        };
    });
}

// Mirrored left to right, top to bottom, or both.
nb::tuple flip(Counts counts, Offsets offsets, uint64_t h, uint64_t w, bool across, bool down) {
    return place_each(counts, offsets, h, static_cast<double>(counts.shape(0)), [=] {
        return [=](const Columns& mask, RunBuilder& out) {
            for (int64_t k = 0; k < mask.size(); ++k) {
                const int64_t x = across ? mask.last() - 1 - k : mask.first + k;
                const uint64_t base = (across ? w - 1 - static_cast<uint64_t>(x) : static_cast<uint64_t>(x)) * h;
                const Pieces pieces = mask.at(x);
                for (size_t p = 0; p < pieces.size(); ++p) {
                    const Interval& piece = pieces[down ? pieces.size() - 1 - p : p];
                    const auto top = static_cast<uint64_t>(piece.top), bottom = static_cast<uint64_t>(piece.bottom);
                    out.foreground(base + (down ? h - bottom : top), base + (down ? h - top : bottom));
                }
            }
            out.finish(h * w);
        };
    });
}

// Rows to columns: what lay at (x, y) lies at (y, x). The ends of runs in each row, then row by row.
nb::tuple transposed(Counts counts, Offsets offsets, uint64_t h, uint64_t w) {
    return place_each(counts, offsets, h, 4 * static_cast<double>(counts.shape(0)), [=] {
        return [=, rows = Columns(), ends = std::vector<Interval>(), starts = std::vector<uint32_t>()](
                   const Columns& mask, RunBuilder& out) mutable {
            starts.assign(static_cast<size_t>(h) + 1, 0);
            // A run of a row begins or ends at column x where one of the columns x - 1 and x is foreground there.
            const auto each_end = [&](auto end) {
                for (int64_t x = mask.first; x <= mask.last(); ++x) {
                    rows.reset(0);
                    subtract(mask.at(x), mask.at(x - 1), rows);
                    subtract(mask.at(x - 1), mask.at(x), rows);
                    for (const Interval& piece : rows.pieces)
                        for (int32_t y = piece.top; y < piece.bottom; ++y) end(static_cast<size_t>(y), x);
                }
            };
            each_end([&](size_t y, int64_t) { ++starts[y + 1]; });
            for (size_t y = 0; y < h; ++y) starts[y + 1] += starts[y];
            std::vector<uint64_t> columns(starts[h]);
            std::vector<uint32_t> next(starts.begin(), starts.end() - 1);
            each_end([&](size_t y, int64_t x) { columns[next[y]++] = static_cast<uint64_t>(x); });
            for (size_t y = 0; y < h; ++y)
                for (size_t k = starts[y]; k < starts[y + 1]; k += 2)
                    out.foreground(y * w + columns[k], y * w + columns[k + 1]);
            out.finish(h * w);
        };
    });
}

// ---- scaling ----

// The first new pixel whose centre lies at or behind the old pixel edge `at`: new pixel k looks at old pixel
// floor((2k + 1) * old / (2 * fresh)), in whole numbers.
uint64_t first_behind(uint64_t at, uint64_t old, uint64_t fresh) {
    const uint64_t least = 2 * at * fresh;  // (2k + 1) * old >= least
    return least <= old ? 0 : (least - old + 2 * old - 1) / (2 * old);
}

nb::tuple resize_nearest(Counts counts, Offsets offsets, uint64_t h, uint64_t w, uint64_t rows, uint64_t columns) {
    std::vector<uint64_t> row_of(h + 1);
    for (uint64_t y = 0; y <= h && h; ++y) row_of[y] = first_behind(y, h, rows);
    const double growth = static_cast<double>(columns) / static_cast<double>(std::max<uint64_t>(w, 1));
    const double cost = static_cast<double>(counts.shape(0)) * growth;
    return place_each(counts, offsets, h, cost, [&] {
        return [&](const Columns& mask, RunBuilder& out) {
            if (mask.size() == 0) return out.finish(rows * columns);
            const uint64_t last = first_behind(static_cast<uint64_t>(mask.last()), w, columns);
            for (uint64_t x = first_behind(static_cast<uint64_t>(mask.first), w, columns); x < last; ++x)
                for (const Interval& piece : mask.at(static_cast<int64_t>((2 * x + 1) * w / (2 * columns)))) {
                    const uint64_t top = row_of[static_cast<size_t>(piece.top)];
                    const uint64_t bottom = row_of[static_cast<size_t>(piece.bottom)];
                    if (top < bottom) out.foreground(x * rows + top, x * rows + bottom);
                }
            out.finish(rows * columns);
        };
    });
}

// Covered area of the new pixels of one column, as differences down the column. A new pixel is h units high and w
// wide, an old one `rows` high and `columns` wide, so all areas are whole numbers.
class CoveredColumn {
  public:
    CoveredColumn(uint64_t h, uint64_t rows) : h_(h), rows_(rows), change_(rows + 2) {}
    void reset() { std::fill(change_.begin(), change_.end(), 0); }
    // An old piece of a column of which `width` units lie in this one.
    void add(const Interval& piece, uint64_t width) {
        ramp(static_cast<uint64_t>(piece.top) * rows_, static_cast<int64_t>(width));
        ramp(static_cast<uint64_t>(piece.bottom) * rows_, -static_cast<int64_t>(width));
    }
    template <typename F> void each_over(uint64_t half, F run) const {
        int64_t covered = 0;
        uint64_t start = 0;
        bool open = false;
        for (uint64_t y = 0; y < rows_; ++y) {
            covered += change_[y];
            const bool over = static_cast<uint64_t>(covered) > half;
            if (over && !open) start = y;
            if (!over && open) run(start, y);
            open = over;
        }
        if (open) run(start, rows_);
    }

  private:
    // Everything below `at` is covered `width` units more.
    void ramp(uint64_t at, int64_t width) {
        const uint64_t y = at / h_, rest = (y + 1) * h_ - at;
        const int64_t part = static_cast<int64_t>(rest) * width;
        change_[y] += part;
        change_[y + 1] += static_cast<int64_t>(h_) * width - part;
    }
    uint64_t h_, rows_;
    std::vector<int64_t> change_;
};

// Foreground where the mask covers more than half of a new pixel, exactly.
nb::tuple resize_area(Counts counts, Offsets offsets, uint64_t h, uint64_t w, uint64_t rows, uint64_t columns) {
    const double fresh = static_cast<double>(columns) * static_cast<double>(rows);
    const double cost = static_cast<double>(counts.shape(0)) + static_cast<double>(offsets.shape(0)) * fresh / 100;
    return place_each(counts, offsets, h, cost, [&] {
        return [&, covered = CoveredColumn(h, rows)](const Columns& mask, RunBuilder& out) mutable {
            if (mask.size() == 0) return out.finish(rows * columns);
            const uint64_t half = h * w / 2;  // covered > half: more than half of h * w, odd or even
            const uint64_t last = std::min((static_cast<uint64_t>(mask.last()) * columns + w - 1) / w, columns);
            for (uint64_t x = static_cast<uint64_t>(mask.first) * columns / w; x < last; ++x) {
                covered.reset();
                for (uint64_t old = x * w / columns; old * columns < (x + 1) * w; ++old) {
                    const uint64_t width = std::min((old + 1) * columns, (x + 1) * w) - std::max(old * columns, x * w);
                    for (const Interval& piece : mask.at(static_cast<int64_t>(old))) covered.add(piece, width);
                }
                covered.each_over(half, [&](uint64_t top, uint64_t bottom) {
                    out.foreground(x * rows + top, x * rows + bottom);
                });
            }
            out.finish(rows * columns);
        };
    });
}

}  // namespace

void bind_placing(nb::module_& m) {
    m.def("window", &window);
    m.def("flip", &flip);
    m.def("transposed", &transposed);
    m.def("resize_nearest", &resize_nearest);
    m.def("resize_area", &resize_area);
}
