// Rings of N masks in flat arrays, as the polygon kernels take them. Mask i owns the rings
// [mask_offsets[i], mask_offsets[i + 1]); a ring that is no hole opens a group, and the holes after it are cut out of
// it alone, so that an island inside a hole is a group of its own.
#pragma once
#include "runs.hpp"

using Span = std::pair<uint64_t, uint64_t>;  // foreground [start, stop) in column-major positions

struct Rings {
    const double* points;  // x, y
    const int64_t *ring_offsets, *mask_offsets;
    const uint8_t* is_hole;
    size_t masks;

    Rings(const Array2<double>& p, const Offsets& r, const Offsets& m, const Array1<uint8_t>& hole)
        : points(p.data()), ring_offsets(r.data()), mask_offsets(m.data()), is_hole(hole.data()),
          masks(m.shape(0) - 1) {
        check(r, static_cast<int64_t>(p.shape(0)));
        check(m, static_cast<int64_t>(r.shape(0)) - 1);
        if (p.shape(1) != 2 || hole.shape(0) + 1 != r.shape(0))
            throw std::invalid_argument("rings do not fit together");
    }
    // Ring after the last of the group that begins with ring `first` of mask i.
    int64_t group_end(size_t i, int64_t first) const {
        int64_t end = first + 1;
        while (end < mask_offsets[i + 1] && is_hole[end]) ++end;
        return end;
    }

  private:
    static void check(const Offsets& offsets, int64_t last) {
        const int64_t* at = offsets.data();
        const size_t n = offsets.shape(0);
        bool fits = n > 0 && at[0] == 0 && at[n - 1] == last;
        for (size_t i = 1; i < n && fits; ++i) fits = at[i - 1] <= at[i];
        if (!fits) throw std::invalid_argument("offsets of rings do not rise from 0 to the end");
    }
};

nb::tuple fill_edge(Array2<double>, Offsets, Offsets, Array1<uint8_t>, int64_t, int64_t);
nb::tuple fill_centre(Array2<double>, Offsets, Offsets, Array1<uint8_t>, int64_t, int64_t);
