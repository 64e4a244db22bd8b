// Row-major pixels to run lengths without turning them: rows are compared with the rows above, and only where they
// differ does a run begin or end.
#pragma once
#include "runs.hpp"
#include "simd.hpp"

class RowScan {
  public:
    // Appends the mask of `rows` x `columns` pixels (nonzero is foreground) that lie at (x0, y0) in an image of
    // height `h` and `pixels` pixels in all.
    void encode(const uint8_t* bytes, size_t rows, size_t columns, uint64_t x0, uint64_t y0, uint64_t h,
                uint64_t pixels, RunBuilder& out) {
        nothing_.resize(columns);  // zeros: what lies above the first and below the last row
        changes_.clear();
        starts_.assign(columns + 1, 0);
        for (size_t r = 0; r <= rows; ++r) {
            const uint8_t* above = r ? bytes + (r - 1) * columns : nothing_.data();
            const uint8_t* here = r < rows ? bytes + r * columns : nothing_.data();
            each_difference(above, here, columns, [&](size_t c) {
                if ((above[c] != 0) == (here[c] != 0)) return;
                changes_.push_back({static_cast<uint32_t>(c), static_cast<uint32_t>(r)});
                ++starts_[c + 1];
            });
        }
        for (size_t c = 0; c < columns; ++c) starts_[c + 1] += starts_[c];
        ends_.assign(starts_.begin(), starts_.end() - 1);
        sorted_.resize(changes_.size());
        for (const Change& change : changes_) sorted_[ends_[change.column]++] = change.row;
        for (size_t c = 0; c < columns; ++c) {
            const uint64_t base = (x0 + c) * h + y0;
            for (size_t k = starts_[c]; k < starts_[c + 1]; k += 2)
                out.foreground(base + sorted_[k], base + sorted_[k + 1]);
        }
        out.finish(pixels);
    }

  private:
    struct Change {
        uint32_t column, row;
    };
    std::vector<uint8_t> nothing_;
    std::vector<Change> changes_;
    std::vector<size_t> starts_, ends_;
    std::vector<uint32_t> sorted_;
};

// A window [x0, x1) x [y0, y1) of an image to draw in.
class Bitmap {
  public:
    void reset(int64_t x0, int64_t y0, int64_t x1, int64_t y1) {
        x0_ = x0, y0_ = y0, columns_ = std::max<int64_t>(x1 - x0, 0), rows_ = std::max<int64_t>(y1 - y0, 0);
        pixels_.assign(static_cast<size_t>(columns_ * rows_), 0);
    }
    int64_t top() const { return y0_; }
    int64_t bottom() const { return y0_ + rows_; }

    void set(int64_t x, int64_t y) {
        if (x >= x0_ && x < x0_ + columns_ && y >= y0_ && y < y0_ + rows_) *at(x, y) = 1;
    }
    // Columns left .. right of row y, both included.
    void fill(int64_t y, int64_t left, int64_t right) {
        left = std::max(left, x0_), right = std::min(right, x0_ + columns_ - 1);
        if (left > right || y < y0_ || y >= y0_ + rows_) return;
        std::memset(at(left, y), 1, static_cast<size_t>(right - left + 1));
    }
    void encode(uint64_t h, uint64_t w, RunBuilder& out) {
        scan_.encode(pixels_.data(), static_cast<size_t>(rows_), static_cast<size_t>(columns_),
                     static_cast<uint64_t>(x0_), static_cast<uint64_t>(y0_), h, h * w, out);
    }

  private:
    uint8_t* at(int64_t x, int64_t y) { return pixels_.data() + (y - y0_) * columns_ + (x - x0_); }

    int64_t x0_ = 0, y0_ = 0, columns_ = 0, rows_ = 0;
    std::vector<uint8_t> pixels_;
    RowScan scan_;
};
