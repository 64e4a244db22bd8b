// Erode, dilate and boundary bands on run lengths: down the columns a run grows or shrinks at its ends, and across
// them the columns of a sliding window are united or intersected. Outside the image there is no foreground.
#pragma once
#include <cmath>

#include "columns.hpp"

enum Operation { grow, shrink };

// How far a structuring element reaches up and down at each horizontal distance 0 .. reach.
inline std::vector<int32_t> profile_of(double radius, bool disk) {
    const auto reach = static_cast<int32_t>(std::floor(radius));
    std::vector<int32_t> profile(static_cast<size_t>(reach) + 1, reach);
    for (int32_t dx = 0; disk && dx <= reach; ++dx) {
        auto k = static_cast<int32_t>(std::sqrt(radius * radius - static_cast<double>(dx) * dx));
        while (std::hypot(k + 1.0, dx) <= radius) ++k;
        profile[static_cast<size_t>(dx)] = k;
    }
    return profile;
}

// Appends the pieces of a column, moved at both ends by `by` rows, to the open column of `out`.
inline void move_ends(Pieces pieces, Operation operation, int32_t by, int32_t h, Columns& out) {
    for (const Interval& piece : pieces) {
        if (operation == grow)
            out.add(std::max(piece.top - by, 0), by < h - piece.bottom ? piece.bottom + by : h);
        else if (by < piece.bottom - piece.top && piece.top + by < piece.bottom - by)
            out.pieces.push_back({piece.top + by, piece.bottom - by});
    }
}

inline void join(Operation operation, Pieces a, Pieces b, Columns& out) {
    if (operation == grow)
        unite(a, b, out);
    else
        intersect(a, b, out);
}

class Morphology {
  public:
    Morphology(double radius, bool disk, uint64_t h, uint64_t w)
        : profile_(profile_of(radius, disk)), reach_(static_cast<int64_t>(profile_.size()) - 1),
          disk_(disk), h_(static_cast<int32_t>(h)), w_(static_cast<int64_t>(w)) {}

    // The result for `mask`, which is overwritten; valid until the next call.
    const Columns& apply(Operation operation, const Columns& mask) {
        if (mask.size() == 0 || (operation == shrink && mask.size() <= 2 * reach_)) {
            result_.reset(0);
        } else if (disk_) {
            by_offsets(operation, mask);
        } else {
            down(operation, mask);
            across(operation);
        }
        return result_;
    }
    // The mask without its erosion.
    const Columns& band(const Columns& mask) {
        if (mask.size() <= 2 * reach_) return mask;
        const Columns& inner = apply(shrink, mask);
        other_.reset(mask.first);
        for (int64_t x = mask.first; x < mask.last(); ++x) {
            subtract(mask.at(x), inner.at(x), other_);
            other_.close();
        }
        return other_;
    }

  private:
    void down(Operation operation, const Columns& mask) {
        result_.reset(mask.first);
        for (int64_t x = mask.first; x < mask.last(); ++x) {
            move_ends(mask.at(x), operation, profile_[0], h_, result_);
            result_.close();
        }
    }
    // Windows of 2 * reach + 1 columns from windows of half the size, each named by its first column: all that touch
    // the mask when growing, those that lie inside it when shrinking.
    void across(Operation operation) {
        const int64_t size = 2 * reach_ + 1;
        for (int64_t have = 1; have < size;) {
            const int64_t step = std::min(have, size - have);
            const int64_t first = result_.first - (operation == grow ? step : 0);
            const int64_t last = result_.last() - (operation == grow ? 0 : step);
            other_.reset(first);
            for (int64_t x = first; x < last; ++x) {
                join(operation, result_.at(x), result_.at(x + step), other_);
                other_.close();
            }
            std::swap(result_, other_);
            have += step;
        }
        result_.first += reach_;
        if (operation == grow) clip();
    }
    // One offset after another, for elements whose columns differ in height.
    void by_offsets(Operation operation, const Columns& mask) {
        const int64_t margin = operation == grow ? reach_ : -reach_;
        const int64_t first = std::max<int64_t>(mask.first - margin, 0), last = std::min(mask.last() + margin, w_);
        result_.reset(first);
        for (int64_t x = first; x < last; ++x) {
            open(moved_), move_ends(mask.at(x), operation, profile_[0], h_, moved_), moved_.close();
            for (int64_t dx = -reach_; dx <= reach_; ++dx) {
                if (dx == 0) continue;
                const int32_t by = profile_[static_cast<size_t>(std::abs(dx))];
                open(shifted_), move_ends(mask.at(x + dx), operation, by, h_, shifted_), shifted_.close();
                open(other_), join(operation, moved_.at(0), shifted_.at(0), other_), other_.close();
                std::swap(moved_, other_);
            }
            for (const Interval& piece : moved_.at(0)) result_.pieces.push_back(piece);
            result_.close();
        }
    }
    static void open(Columns& column) { column.reset(0); }

    // Columns outside the image are dropped.
    void clip() {
        const int64_t before = std::max<int64_t>(-result_.first, 0);
        const int64_t behind = std::max<int64_t>(result_.last() - w_, 0);
        result_.starts.resize(result_.starts.size() - static_cast<size_t>(behind));
        result_.starts.erase(result_.starts.begin(), result_.starts.begin() + before);
        result_.first += before;
    }

    std::vector<int32_t> profile_;
    int64_t reach_;
    bool disk_;
    int32_t h_;
    int64_t w_;
    Columns result_, other_, moved_, shifted_;
};

// ---- masks of one piece a column, which most are: the window is then a running maximum and minimum ----

class SimpleBand {
  public:
    // Whether `mask` has one piece in each of its columns; appends its band if so.
    bool append(const Columns& mask, int32_t reach, uint64_t h, uint64_t pixels, RunBuilder& out) {
        const size_t n = static_cast<size_t>(mask.size()), size = 2 * static_cast<size_t>(reach) + 1;
        if (mask.pieces.size() != n || n < size) return false;
        top_.resize(n), bottom_.resize(n), spare_top_.resize(n), spare_bottom_.resize(n);
        for (size_t c = 0; c < n; ++c) {
            if (mask.starts[c] != c) return false;
            top_[c] = mask.pieces[c].top + reach, bottom_[c] = mask.pieces[c].bottom - reach;
        }
        size_t count = n;
        for (size_t have = 1; have < size;) {
            const size_t step = std::min(have, size - have);
            count -= step;
            extremes(top_.data(), bottom_.data(), spare_top_.data(), spare_bottom_.data(), step, count);
            std::swap(top_, spare_top_), std::swap(bottom_, spare_bottom_);
            have += step;
        }
        write(mask, static_cast<size_t>(reach), count, h, out);
        out.finish(pixels);
        return true;
    }

  private:
    static void extremes(const int32_t* __restrict top, const int32_t* __restrict bottom, int32_t* __restrict highest,
                         int32_t* __restrict lowest, size_t step, size_t count) {
        for (size_t c = 0; c < count; ++c) highest[c] = std::max(top[c], top[c + step]);
        for (size_t c = 0; c < count; ++c) lowest[c] = std::min(bottom[c], bottom[c + step]);
    }
    void write(const Columns& mask, size_t reach, size_t count, uint64_t h, RunBuilder& out) const {
        uint64_t base = static_cast<uint64_t>(mask.first) * h;
        for (size_t c = 0; c < mask.pieces.size(); ++c, base += h) {
            const uint64_t begin = base + static_cast<uint64_t>(mask.pieces[c].top);
            const uint64_t end = base + static_cast<uint64_t>(mask.pieces[c].bottom);
            const bool inside = c >= reach && c - reach < count && top_[c - reach] < bottom_[c - reach];
            if (!inside) {
                out.foreground(begin, end);
                continue;
            }
            out.foreground(begin, base + static_cast<uint64_t>(top_[c - reach]));
            out.foreground(base + static_cast<uint64_t>(bottom_[c - reach]), end);
        }
    }
    std::vector<int32_t> top_, bottom_, spare_top_, spare_bottom_;
};

// The bands of masks of one image size, by the way that suits each.
class Bands {
  public:
    Bands(int32_t reach, uint64_t h, uint64_t w) : morphology_(reach, false, h, w), reach_(reach), h_(h), pixels_(h * w) {}

    // Appends the mask without its erosion by a square.
    void append(const Columns& mask, RunBuilder& out) {
        if (!simple_.append(mask, reach_, h_, pixels_, out)) morphology_.band(mask).write(h_, pixels_, out);
    }

  private:
    Morphology morphology_;
    SimpleBand simple_;
    int32_t reach_;
    uint64_t h_, pixels_;
};
