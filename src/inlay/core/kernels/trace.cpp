// The outlines of masks as points.
#include "threads.hpp"
#include "trace.hpp"

namespace {

struct Outlines {
    std::vector<double> points;
    std::vector<int64_t> ring_offsets{0}, mask_offsets{0};
    std::vector<uint8_t> is_hole;

    static bool skips(size_t) { return false; }
    void add(const Corner* begin, const Corner* end, bool hole) {
        for (const Corner* c = begin; c < end; ++c) {
            points.push_back(static_cast<double>(c->x));
            points.push_back(static_cast<double>(c->y));
        }
        ring_offsets.push_back(static_cast<int64_t>(points.size() / 2));
        is_hole.push_back(hole);
    }
    // Appends the masks of another.
    void append(const Outlines& other) {
        const auto shift = [](std::vector<int64_t>& to, const std::vector<int64_t>& from) {
            const int64_t last = to.back();
            for (size_t k = 1; k < from.size(); ++k) to.push_back(last + from[k]);
        };
        shift(ring_offsets, other.ring_offsets), shift(mask_offsets, other.mask_offsets);
        points.insert(points.end(), other.points.begin(), other.points.end());
        is_hole.insert(is_hole.end(), other.is_hole.begin(), other.is_hole.end());
    }
    void end_mask() { mask_offsets.push_back(static_cast<int64_t>(is_hole.size())); }
    nb::tuple result() {
        const size_t n = points.size() / 2;
        return nb::make_tuple(to_numpy(std::move(points), {n, 2}), to_numpy(std::move(ring_offsets)),
                              to_numpy(std::move(mask_offsets)), to_numpy(std::move(is_hole)));
    }
};

// (points, ring offsets, mask offsets, is_hole): each part's outer ring, then its holes.
nb::tuple trace(Counts counts, Offsets offsets, size_t h, bool centres) {
    const size_t n = offsets.shape(0) - 1;
    std::vector<Outlines> shares(std::clamp<size_t>(n, 1, 1024));
    {
        nb::gil_scoped_release free;
        in_shares(n, static_cast<double>(counts.shape(0)), 2e4, 0, [&](size_t t, size_t begin, size_t end) {
            trace_share(counts, offsets, begin, end, h, centres, shares[t]);
        });
        for (size_t t = 1; t < shares.size() && shares[t].mask_offsets.size() > 1; ++t) shares[0].append(shares[t]);
    }
    return shares[0].result();
}

}  // namespace

void bind_trace(nb::module_& m) {
    m.def("trace", &trace);
}
