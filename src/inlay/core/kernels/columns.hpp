// A mask as the pieces of its columns, and set operations on the pieces of two columns.
#pragma once
#include <span>

#include "runs.hpp"

// Rows top .. bottom - 1 of one column.
struct Interval {
    int32_t top, bottom;
};
using Pieces = std::span<const Interval>;  // rising, and not touching one another

// The pieces of `size()` consecutive columns, the first of them column `first`; other columns are empty.
struct Columns {
    int64_t first = 0;
    std::vector<Interval> pieces;
    std::vector<uint32_t> starts{0};

    void reset(int64_t column) {
        first = column;
        pieces.clear();
        starts.assign(1, 0);
    }
    int64_t size() const { return static_cast<int64_t>(starts.size()) - 1; }
    int64_t last() const { return first + size(); }  // the column after the last one
    Pieces at(int64_t column) const {
        const int64_t c = column - first;
        if (c < 0 || c >= size()) return {};
        const size_t begin = starts[static_cast<size_t>(c)], end = starts[static_cast<size_t>(c) + 1];
        return {pieces.data() + begin, end - begin};
    }
    void add(int32_t top, int32_t bottom) {
        if (pieces.size() > starts.back() && pieces.back().bottom >= top)
            pieces.back().bottom = std::max(pieces.back().bottom, bottom);
        else
            pieces.push_back({top, bottom});
    }
    void close() { starts.push_back(static_cast<uint32_t>(pieces.size())); }

    // The columns of a mask from its first to its last one.
    void read(const uint32_t* counts, int64_t begin, int64_t end, uint64_t h) {
        read_runs([&](auto piece) { each_run(counts, begin, end, piece); }, h);
    }
    // The same of what each(piece) gives as piece(start, stop), rising positions in columns of h rows.
    template <typename F> void read_runs(F each, uint64_t h) {
        reset(0);
        uint64_t column = 0, base = 0;
        bool any = false;
        each([&](uint64_t start, uint64_t stop) {
            if (!any) {
                column = start / h, base = column * h, any = true;
                reset(static_cast<int64_t>(column));
            }
            while (start < stop) {
                for (; start >= base + h; base += h) close();
                const uint64_t until = std::min(stop, base + h);
                pieces.push_back({static_cast<int32_t>(start - base), static_cast<int32_t>(until - base)});
                start = until;
            }
        });
        if (any) close();
    }
    // Appends the mask; columns and rows lie inside the image.
    void write(uint64_t h, uint64_t pixels, RunBuilder& out) const {
        for (size_t c = 0; c + 1 < starts.size(); ++c) {
            const uint64_t base = (static_cast<uint64_t>(first) + c) * h;
            for (size_t k = starts[c]; k < starts[c + 1]; ++k)
                out.foreground(base + static_cast<uint64_t>(pieces[k].top),
                               base + static_cast<uint64_t>(pieces[k].bottom));
        }
        out.finish(pixels);
    }
};

// Appends to the open column of `out` what lies in both.
inline void intersect(Pieces a, Pieces b, Columns& out) {
    for (size_t i = 0, j = 0; i < a.size() && j < b.size();) {
        const int32_t top = std::max(a[i].top, b[j].top), bottom = std::min(a[i].bottom, b[j].bottom);
        if (top < bottom) out.pieces.push_back({top, bottom});
        if (a[i].bottom <= b[j].bottom)
            ++i;
        else
            ++j;
    }
}
// What lies in either.
inline void unite(Pieces a, Pieces b, Columns& out) {
    for (size_t i = 0, j = 0; i < a.size() || j < b.size();) {
        const bool left = j == b.size() || (i < a.size() && a[i].top <= b[j].top);
        const Interval& next = left ? a[i++] : b[j++];
        out.add(next.top, next.bottom);
    }
}
// What lies in the first alone.
inline void subtract(Pieces a, Pieces b, Columns& out) {
    size_t j = 0;
    for (const Interval& piece : a) {
        int32_t top = piece.top;
        while (j < b.size() && b[j].bottom <= top) ++j;
        for (size_t k = j; k < b.size() && b[k].top < piece.bottom; ++k) {
            if (b[k].top > top) out.pieces.push_back({top, b[k].top});
            top = std::max(top, b[k].bottom);
        }
        if (top < piece.bottom) out.pieces.push_back({top, piece.bottom});
    }
}
