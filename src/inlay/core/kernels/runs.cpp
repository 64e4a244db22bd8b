// Encode, decode, measure and combine run lengths.
#include "bitmap.hpp"
#include "stretches.hpp"
#include "threads.hpp"

namespace {

// Appends one mask that lies column-major in memory; nonzero is foreground.
void scan_columns(const uint8_t* pixel, size_t n, RunBuilder& out) {
    uint32_t start = 0;
    const auto change = [&](size_t at) {
        out.counts.push_back(static_cast<uint32_t>(at) - start);
        start = static_cast<uint32_t>(at);
    };
    if (n && pixel[0]) change(0);
    each_change(pixel, n, [&](size_t i) {
        if ((pixel[i] != 0) != (pixel[i + 1] != 0)) change(i + 1);
    });
    change(n);
    out.offsets.push_back(static_cast<int64_t>(out.counts.size()));
}

nb::tuple encode(Array3<uint8_t> stack, bool columns) {
    const size_t n = stack.shape(0), a = stack.shape(1), b = stack.shape(2), pixels = a * b;
    RunBuilder out;
    {
        nb::gil_scoped_release free;
        RowScan rows;
        for (size_t i = 0; i < n; ++i) {
            const uint8_t* mask = stack.data() + i * pixels;
            if (columns)
                scan_columns(mask, pixels, out);
            else
                rows.encode(mask, a, b, 0, 0, a, pixels, out);
        }
    }
    return out.result();
}

// Writes n masks of `pixels` pixels each, column-major.
void write_pixels(const Counts& counts, const Offsets& offsets, size_t pixels, uint8_t* data) {
    const size_t n = offsets.shape(0) - 1;
    in_shares(n, static_cast<double>(n * pixels), 8e6, 0, [&](size_t, size_t begin, size_t end) {
        for (size_t i = begin; i < end; ++i) {
            uint8_t* at = data + i * pixels;
            uint8_t value = 0;
            for (int64_t k = offsets.data()[i]; k < offsets.data()[i + 1]; ++k) {
                std::memset(at, value, counts.data()[k]);
                at += counts.data()[k];
                value ^= 1;
            }
        }
    });
}

// (N, W, H): the caller turns it into (N, H, W) by a view, so no pixel is moved twice.
Numpy<uint8_t> decode(Counts counts, Offsets offsets, size_t h, size_t w) {
    auto out = new_numpy<uint8_t>({offsets.shape(0) - 1, w, h});
    uint8_t* data = out.data();
    nb::gil_scoped_release free;
    write_pixels(counts, offsets, h * w, data);
    return out;
}

void decode_into(Counts counts, Offsets offsets, size_t pixels,
                 nb::ndarray<uint8_t, nb::ndim<3>, nb::c_contig, nb::device::cpu> out) {
    if (out.size() != (offsets.shape(0) - 1) * pixels) throw std::invalid_argument("masks and pixels do not fit");
    uint8_t* data = out.data();
    nb::gil_scoped_release free;
    write_pixels(counts, offsets, pixels, data);
}

// (x1 - x0, y1 - y0) of one mask: the window alone is touched, however large the image is.
Numpy<uint8_t> crop(Counts counts, uint64_t h, uint64_t x0, uint64_t y0, uint64_t x1, uint64_t y1) {
    if (x0 > x1 || y0 > y1 || y1 > h) throw std::invalid_argument("a window leaves its image");
    const uint64_t rows = y1 - y0;
    auto out = new_numpy<uint8_t>({x1 - x0, rows});
    uint8_t* data = out.data();
    nb::gil_scoped_release free;
    std::memset(data, 0, (x1 - x0) * rows);
    if (rows == 0) return out;
    each_run(counts.data(), 0, static_cast<int64_t>(counts.shape(0)), [&](uint64_t start, uint64_t stop) {
        for (uint64_t x = std::max(start / h, x0); x < x1 && x * h < stop; ++x) {
            const uint64_t top = std::max(start, x * h + y0), bottom = std::min(stop, x * h + y1);
            if (top < bottom) std::memset(data + (x - x0) * rows + (top - x * h - y0), 1, bottom - top);
        }
    });
    return out;
}

Numpy<int64_t> area(Counts counts, Offsets offsets) {
    const size_t n = offsets.shape(0) - 1;
    auto out = new_numpy<int64_t>({n});
    for (size_t i = 0; i < n; ++i) {
        int64_t sum = 0;
        for (int64_t k = offsets.data()[i] + 1; k < offsets.data()[i + 1]; k += 2) sum += counts.data()[k];
        out.data()[i] = sum;
    }
    return out;
}

Numpy<int32_t> box(Counts counts, Offsets offsets, size_t h) {
    const size_t n = offsets.shape(0) - 1;
    auto out = new_numpy<int32_t>({n, 4});
    for (size_t i = 0; i < n; ++i) {
        uint64_t x0 = UINT64_MAX, x1 = 0, y0 = h, y1 = 0, column = 0, base = 0;  // base: first pixel of `column`
        each_run(counts.data(), offsets.data()[i], offsets.data()[i + 1], [&](uint64_t start, uint64_t stop) {
            if (start - base >= 2 * h) {
                column = start / h;
                base = column * h;
            } else if (start - base >= h) {  // mostly the next one: no division
                ++column;
                base += h;
            }
            x0 = std::min(x0, column);
            if (stop - base <= h) {
                x1 = column + 1;
                y0 = std::min(y0, start - base);
                y1 = std::max(y1, stop - base);
            } else {  // a run that wraps covers the bottom of one column and the top of the next
                x1 = (stop - 1) / h + 1;
                y0 = 0;
                y1 = h;
            }
        });
        int32_t* b = out.data() + i * 4;
        if (x0 == UINT64_MAX) {
            b[0] = b[1] = b[2] = b[3] = 0;
        } else {
            b[0] = static_cast<int32_t>(x0), b[1] = static_cast<int32_t>(y0);
            b[2] = static_cast<int32_t>(x1), b[3] = static_cast<int32_t>(y1);
        }
    }
    return out;
}

Numpy<int64_t> intersection(Counts ca, Offsets oa, Array2<int32_t> ba, Counts cb, Offsets ob, Array2<int32_t> bb) {
    const size_t n = oa.shape(0) - 1, m = ob.shape(0) - 1;
    auto out = new_numpy<int64_t>({n, m});
    int64_t* data = out.data();
    nb::gil_scoped_release free;
    const Stretches a(ca, oa), b(cb, ob);
    for (size_t i = 0; i < n; ++i)
        for (size_t j = 0; j < m; ++j) {
            const int32_t *p = ba.data() + i * 4, *q = bb.data() + j * 4;
            const bool apart = p[0] >= q[2] || q[0] >= p[2] || p[1] >= q[3] || q[1] >= p[3];
            const bool none = apart || a.ends[i] == a.ends[i + 1] || b.ends[j] == b.ends[j + 1];
            data[i * m + j] = none ? 0 : shared_pixels(a, i, b, j);
        }
    return out;
}

// Takes `length` pixels off a list of runs, of whose run k `rest` are left.
inline void skip(const uint32_t* runs, int64_t n, int64_t& k, uint64_t& rest, uint64_t length) {
    while (rest <= length) {
        length -= rest;
        if (++k == n) return;
        rest = runs[k];
    }
    rest -= length;
}

// operation is the truth table read at bit 2a + b: 0b1000 and, 0b1110 or, 0b0100 a without b. A run of one that
// settles the result by itself is passed in one go, whatever the other has there.
void combine_one(const uint32_t* a, int64_t na, const uint32_t* b, int64_t nb_, int operation, RunBuilder& out) {
    int64_t i = 0, j = 0;
    uint64_t ra = a[0], rb = b[0];
    while (i < na && j < nb_) {
        const int of_a = (operation >> (2 * (i & 1))) & 3, of_b = (operation >> (j & 1)) & 5;
        uint64_t step = std::min(ra, rb);
        if (ra > rb && (of_a == 0 || of_a == 3)) step = ra;
        if (rb > ra && (of_b == 0 || of_b == 5)) step = rb;
        out.add((operation >> (2 * (i & 1) + (j & 1))) & 1, step);
        skip(a, na, i, ra, step);
        skip(b, nb_, j, rb, step);
    }
    out.finish();
}

nb::tuple combine(Counts ca, Offsets oa, Counts cb, Offsets ob, int operation) {
    const size_t n = oa.shape(0) - 1, m = ob.shape(0) - 1, rows = std::max(n, m);
    RunBuilder out;
    {
        nb::gil_scoped_release free;
        for (size_t r = 0; r < rows; ++r) {
            const size_t i = n == 1 ? 0 : r, j = m == 1 ? 0 : r;  // one mask is set against each of the others
            combine_one(ca.data() + oa.data()[i], oa.data()[i + 1] - oa.data()[i], cb.data() + ob.data()[j],
                        ob.data()[j + 1] - ob.data()[j], operation, out);
        }
    }
    return out.result();
}

// The union of several masks: pairs of them are merged, then pairs of pairs.
class Union {
  public:
    void clear() { runs_.clear(), ends_.assign(1, 0); }
    void add(const uint32_t* counts, int64_t begin, int64_t end) {
        each_run(counts, begin, end, [&](uint64_t start, uint64_t stop) {
            runs_.push_back({static_cast<uint32_t>(start), static_cast<uint32_t>(stop)});
        });
        ends_.push_back(runs_.size());
    }
    void write(uint64_t pixels, RunBuilder& out) {
        while (ends_.size() > 2) halve();
        for (const Run& run : runs_) out.foreground(run.start, run.stop);
        out.finish(pixels);
    }

  private:
    struct Run {
        uint32_t start, stop;
    };
    void halve() {
        merged_.resize(runs_.size());
        size_t lists = 0, kept = 0;
        for (size_t k = 0; k + 1 < ends_.size(); k += 2) {
            kept = merge(ends_[k], ends_[k + 1], ends_[std::min(k + 2, ends_.size() - 1)], kept);
            ends_[++lists] = kept;
        }
        ends_.resize(lists + 1);
        merged_.resize(kept);
        std::swap(runs_, merged_);
    }
    // Merges the runs from `a` to `b` with those from there to `end`, behind the `kept` first ones.
    size_t merge(size_t a, size_t b, size_t end, size_t kept) {
        const size_t first = kept;
        for (size_t i = a, j = b; i < b || j < end;) {
            const bool left = j == end || (i < b && runs_[i].start <= runs_[j].start);
            const Run next = runs_[left ? i : j];
            i += left, j += !left;
            if (kept > first && next.start <= merged_[kept - 1].stop)
                merged_[kept - 1].stop = std::max(merged_[kept - 1].stop, next.stop);
            else
                merged_[kept++] = next;
        }
        return kept;
    }
    std::vector<Run> runs_, merged_;
    std::vector<size_t> ends_{0};
};

// One mask for each group of consecutive masks, group g being [groups[g], groups[g + 1]).
nb::tuple unite(Counts counts, Offsets offsets, Offsets groups, uint64_t pixels) {
    const size_t n = groups.shape(0) - 1;
    RunBuilder out;
    {
        nb::gil_scoped_release free;
        const double cost = static_cast<double>(counts.shape(0));
        out = build_in_shares(n, cost, 2e5, 0, [&](size_t begin, size_t end, RunBuilder& part) {
            Union all;
            for (size_t g = begin; g < end; ++g) {
                all.clear();
                for (int64_t i = groups.data()[g]; i < groups.data()[g + 1]; ++i)
                    all.add(counts.data(), offsets.data()[i], offsets.data()[i + 1]);
                all.write(pixels, part);
            }
        });
    }
    return out.result();
}

// Later masks lie on top. Painted column-major, where a run is one fill, then turned once.
Numpy<int32_t> paint(Counts counts, Offsets offsets, Array1<int32_t> values, int32_t fill, size_t h, size_t w) {
    const size_t n = offsets.shape(0) - 1;
    auto out = new_numpy<int32_t>({h, w});
    int32_t* data = out.data();
    nb::gil_scoped_release free;
    std::vector<int32_t> columns(h * w, fill);
    for (size_t i = 0; i < n; ++i)
        each_run(counts.data(), offsets.data()[i], offsets.data()[i + 1], [&](uint64_t start, uint64_t stop) {
            std::fill(columns.begin() + static_cast<int64_t>(start), columns.begin() + static_cast<int64_t>(stop),
                      values.data()[i]);
        });
    transpose(columns.data(), data, w, h);
    return out;
}

// One mask for each of 0 .. n - 1 in a map of ids; other ids belong to nobody. Two passes over the runs of the
// map: count, then place, so that memory is one map and the result, whatever n is.
nb::tuple split_ids(Array2<int32_t> ids, int64_t n) {
    const size_t h = ids.shape(0), w = ids.shape(1), pixels = h * w;
    std::vector<uint32_t> counts;
    std::vector<int64_t> offsets(static_cast<size_t>(n) + 1, 0);
    {
        nb::gil_scoped_release free;
        std::vector<int32_t> turned(pixels);
        transpose(ids.data(), turned.data(), h, w);
        const auto each = [&](auto piece) {
            for (size_t i = 0; i < pixels;) {
                const int32_t value = turned[i];
                size_t stop = i + 1;
                while (stop < pixels && turned[stop] == value) ++stop;
                if (value >= 0 && value < n) piece(static_cast<size_t>(value), i, stop);
                i = stop;
            }
        };
        std::vector<int64_t> runs(static_cast<size_t>(n), 0);
        std::vector<uint64_t> last(static_cast<size_t>(n), 0);
        each([&](size_t id, size_t, size_t stop) {
            ++runs[id];
            last[id] = stop;
        });
        for (size_t i = 0; i < static_cast<size_t>(n); ++i)  // a closing background run unless the last pixel is ours
            offsets[i + 1] = offsets[i] + 2 * runs[i] + (runs[i] == 0 || last[i] < pixels ? 1 : 0);
        counts.resize(static_cast<size_t>(offsets.back()));
        std::vector<int64_t> at(offsets.begin(), offsets.end() - 1);
        std::fill(last.begin(), last.end(), 0);
        each([&](size_t id, size_t start, size_t stop) {
            counts[static_cast<size_t>(at[id]++)] = static_cast<uint32_t>(start - last[id]);
            counts[static_cast<size_t>(at[id]++)] = static_cast<uint32_t>(stop - start);
            last[id] = stop;
        });
        for (size_t i = 0; i < static_cast<size_t>(n); ++i)
            if (at[i] < offsets[i + 1]) counts[static_cast<size_t>(at[i])] = static_cast<uint32_t>(pixels - last[i]);
    }
    return nb::make_tuple(to_numpy(std::move(counts)), to_numpy(std::move(offsets)));
}

// Foreign run lengths may hold empty runs; equal masks must have equal bytes. -1 where all is well, else the first
// mask whose runs do not cover the image exactly.
nb::tuple canonical(Counts counts, Offsets offsets, uint64_t pixels) {
    const size_t n = offsets.shape(0) - 1;
    RunBuilder out;
    for (size_t i = 0; i < n; ++i) {
        uint64_t sum = 0;
        bool value = false;
        for (int64_t k = offsets.data()[i]; k < offsets.data()[i + 1]; ++k) {
            sum += counts.data()[k];
            if (sum > pixels) break;
            out.add(value, counts.data()[k]);
            value = !value;
        }
        if (sum != pixels) return nb::make_tuple(static_cast<int64_t>(i), nb::none(), nb::none());
        out.finish();
    }
    return nb::make_tuple(static_cast<int64_t>(-1), to_numpy(std::move(out.counts)), to_numpy(std::move(out.offsets)));
}

// What every other kernel takes for granted: -1 where offsets rise from 0 to the end and each mask is as long as the
// image, -2 where the offsets do not, else the first mask of another length.
int64_t uncovered(Counts counts, Offsets offsets, uint64_t pixels) {
    const size_t n = offsets.shape(0);
    const int64_t* at = offsets.data();
    bool rising = n > 0 && at[0] == 0 && at[n - 1] == static_cast<int64_t>(counts.shape(0));
    for (size_t i = 1; i < n && rising; ++i) rising = at[i - 1] < at[i];
    if (!rising) return -2;
    for (size_t i = 0; i + 1 < n; ++i) {
        uint64_t sum = 0;
        for (int64_t k = at[i]; k < at[i + 1]; ++k) sum += counts.data()[k];
        if (sum != pixels) return static_cast<int64_t>(i);
    }
    return -1;
}

}  // namespace

void bind_runs(nb::module_& m) {
    m.def("encode", &encode, nb::arg("stack"), nb::arg("columns"));
    m.def("decode", &decode);
    m.def("decode_into", &decode_into);
    m.def("crop", &crop);
    m.def("area", &area);
    m.def("box", &box);
    m.def("intersection", &intersection);
    m.def("combine", &combine);
    m.def("unite", &unite);
    m.def("paint", &paint);
    m.def("split_ids", &split_ids);
    m.def("canonical", &canonical);
    m.def("uncovered", &uncovered);
}
