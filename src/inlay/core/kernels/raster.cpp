// Polygons with holes to run lengths by the pixel-edge rule.
#include "edge_fill.hpp"

nb::tuple fill_edge(Array2<double> points, Offsets ring_offsets, Offsets mask_offsets, Array1<uint8_t> is_hole,
                    int64_t h, int64_t w) {
    const Rings rings(points, ring_offsets, mask_offsets, is_hole);
    RunBuilder out;
    {
        nb::gil_scoped_release free;
        EdgeFill fill(h, w);
        std::vector<Span> mask, outer, holes;
        const auto add = [&](int64_t r, std::vector<Span>& to) {
            fill.ring(rings.points + 2 * rings.ring_offsets[r], rings.ring_offsets[r + 1] - rings.ring_offsets[r], to);
        };
        for (size_t i = 0; i < rings.masks; ++i) {
            mask.clear();
            for (int64_t r = rings.mask_offsets[i]; r < rings.mask_offsets[i + 1];) {
                const int64_t end = rings.group_end(i, r);
                if (end == r + 1) {
                    add(r, mask);
                } else {
                    outer.clear(), holes.clear();
                    add(r, outer);
                    for (int64_t hole = r + 1; hole < end; ++hole) add(hole, holes);
                    unite_spans(holes);
                    subtract_spans(outer, holes, mask);
                }
                r = end;
            }
            if (rings.mask_offsets[i + 1] - rings.mask_offsets[i] > 1) unite_spans(mask);
            for (const auto& [start, stop] : mask) out.foreground(start, stop);
            out.finish(static_cast<uint64_t>(h) * static_cast<uint64_t>(w));
        }
    }
    return out.result();
}

void bind_raster(nb::module_& m) {
    m.def("fill_edge", &fill_edge);
    m.def("fill_centre", &fill_centre);
}
