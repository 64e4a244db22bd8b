// Polygons to run lengths by the pixel-edge rule, bit-equal to pycocotools: a ring is sampled on a grid five times
// finer than the pixels, and a column is entered or left where the samples cross its middle. Unlike there, only the
// crossings are computed, not the samples between them.
#pragma once
#include "rings.hpp"

constexpr int64_t FINE = 5, MIDDLE = 2;  // samples per pixel; a column's middle lies between samples 2 and 3

struct Crossing {
    uint32_t column, row;  // row: first pixel below the crossing, 0 .. h
};

inline int64_t fine(double coordinate) { return static_cast<int64_t>(FINE * coordinate + .5); }
inline int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0); }
inline int64_t ceil_div(int64_t a, int64_t b) { return -floor_div(-a, b); }

inline uint32_t pixel_row(int64_t sample, int64_t h) {
    return static_cast<uint32_t>(sample <= MIDDLE ? 0 : std::min(h, (sample + FINE - 1 - MIDDLE) / FINE));
}

// Sample `t` of a line from `start` with `slope`, rounded the way the reference rounds: towards zero after adding .5.
inline int64_t sample(int64_t start, double slope, int64_t t) {
    return static_cast<int64_t>(static_cast<double>(start) + slope * static_cast<double>(t) + .5);
}

// Where one edge, in samples, crosses the middles of the columns 0 .. w - 1.
inline void cross(int64_t x0, int64_t y0, int64_t x1, int64_t y1, int64_t h, int64_t w, std::vector<Crossing>& out) {
    const int64_t dx = std::abs(x1 - x0), dy = std::abs(y1 - y0);
    const int64_t first = std::max<int64_t>(0, ceil_div(std::min(x0, x1) - MIDDLE, FINE));
    const int64_t last = std::min(w - 1, floor_div(std::max(x0, x1) - MIDDLE - 1, FINE));
    if (first > last) return;
    if (dx >= dy) {
        if (x0 > x1) std::swap(x0, x1), std::swap(y0, y1);
        const double slope = static_cast<double>(y1 - y0) / static_cast<double>(dx);
        for (int64_t c = first; c <= last; ++c) {
            const int64_t t = FINE * c + MIDDLE - x0;
            const int64_t y = std::min(sample(y0, slope, t), sample(y0, slope, t + 1));
            out.push_back({static_cast<uint32_t>(c), pixel_row(y, h)});
        }
        return;
    }
    if (y0 > y1) std::swap(x0, x1), std::swap(y0, y1);
    const double slope = static_cast<double>(x1 - x0) / static_cast<double>(dy);
    for (int64_t c = first; c <= last; ++c) {
        const int64_t middle = FINE * c + MIDDLE;
        const auto passed = [&](int64_t t) {
            return slope > 0 ? sample(x0, slope, t) > middle : sample(x0, slope, t) <= middle;
        };
        // The first sample beyond the middle: guessed by division, then made exact, for rounding decides.
        int64_t t = static_cast<int64_t>((static_cast<double>(middle - x0) + .5) / slope);
        t = std::clamp<int64_t>(t, 1, dy);
        while (t > 1 && passed(t - 1)) --t;
        while (t < dy && !passed(t)) ++t;
        out.push_back({static_cast<uint32_t>(c), pixel_row(y0 + t - 1, h)});
    }
}

class EdgeFill {
  public:
    EdgeFill(int64_t h, int64_t w) : h_(h), w_(w) {}
    void resize(int64_t h, int64_t w) { h_ = h, w_ = w; }

    // Foreground spans of one ring: between odd and even crossings, down the columns.
    void ring(const double* points, int64_t n, std::vector<Span>& out) {
        crossings_.clear();
        if (n == 0 || h_ == 0) return;
        int64_t x = fine(points[2 * n - 2]), y = fine(points[2 * n - 1]);
        for (int64_t k = 0; k < n; ++k) {
            const int64_t nx = fine(points[2 * k]), ny = fine(points[2 * k + 1]);
            cross(x, y, nx, ny, h_, w_, crossings_);
            x = nx;
            y = ny;
        }
        sort();
        for (size_t k = 0; k + 1 < positions_.size(); k += 2)
            if (positions_[k] < positions_[k + 1]) out.emplace_back(positions_[k], positions_[k + 1]);
    }

  private:
    // By column through counting, by row through insertion: a column rarely holds more than four.
    void sort() {
        positions_.resize(crossings_.size());
        if (crossings_.empty()) return;
        uint32_t low = UINT32_MAX, high = 0;
        for (const Crossing& c : crossings_) low = std::min(low, c.column), high = std::max(high, c.column);
        starts_.assign(high - low + 2, 0);
        for (const Crossing& c : crossings_) ++starts_[c.column - low + 1];
        for (size_t k = 1; k < starts_.size(); ++k) starts_[k] += starts_[k - 1];
        ends_.assign(starts_.begin(), starts_.end() - 1);
        for (const Crossing& c : crossings_)
            positions_[ends_[c.column - low]++] = static_cast<uint64_t>(c.column) * static_cast<uint64_t>(h_) + c.row;
        for (size_t k = 0; k + 1 < starts_.size(); ++k) {
            const auto begin = positions_.begin() + starts_[k], end = positions_.begin() + starts_[k + 1];
            if (end - begin > 16) {
                std::sort(begin, end);
                continue;
            }
            for (auto i = begin; i < end; ++i)
                for (auto j = i; j > begin && *j < *(j - 1); --j) std::iter_swap(j, j - 1);
        }
    }

    int64_t h_, w_;
    std::vector<Crossing> crossings_;
    std::vector<uint64_t> positions_;
    std::vector<uint32_t> starts_, ends_;
};

inline void unite_spans(std::vector<Span>& spans) {
    std::sort(spans.begin(), spans.end());
    size_t kept = 0;
    for (const Span& span : spans) {
        if (kept && span.first <= spans[kept - 1].second)
            spans[kept - 1].second = std::max(spans[kept - 1].second, span.second);
        else
            spans[kept++] = span;
    }
    spans.resize(kept);
}

// Appends what of `from` no span of `cut` covers; both are sorted and without overlap.
inline void subtract_spans(const std::vector<Span>& from, const std::vector<Span>& cut, std::vector<Span>& out) {
    size_t k = 0;
    for (auto [start, stop] : from) {
        while (k < cut.size() && cut[k].second <= start) ++k;
        for (size_t j = k; j < cut.size() && cut[j].first < stop && start < stop; ++j) {
            if (cut[j].first > start) out.emplace_back(start, cut[j].first);
            start = std::min(stop, std::max(start, cut[j].second));
        }
        if (start < stop) out.emplace_back(start, stop);
    }
}
