// What touches what: contacts between the segments of an id map, connected parts of run lengths.
#include "pair_counter.hpp"
#include "pieces.hpp"
#include "simd.hpp"

namespace {

// (a, b, length, void length (N,), border (N, 4) left top right bottom) of an id map; ids outside 0 .. n - 1 are
// nobody's.
nb::tuple contacts(Array2<int32_t> ids, int64_t n) {
    const size_t h = ids.shape(0), w = ids.shape(1), count = static_cast<size_t>(std::max<int64_t>(n, 0));
    const int32_t* map = ids.data();
    std::vector<int32_t> a, b;
    std::vector<int64_t> length, void_length(count, 0), border(count * 4, 0);
    {
        nb::gil_scoped_release free;
        const auto known = [&](int32_t id) { return id >= 0 && static_cast<size_t>(id) < count; };
        PairCounter pairs;
        const auto touch = [&](int32_t one, int32_t other) {
            if (known(one) && known(other)) {
                const auto [low, high] = std::minmax(one, other);
                pairs.add(static_cast<uint64_t>(low) << 32 | static_cast<uint32_t>(high), 1);
            } else if (known(one)) {
                ++void_length[static_cast<size_t>(one)];
            } else if (known(other)) {
                ++void_length[static_cast<size_t>(other)];
            }
        };
        const auto side = [&](int32_t id, size_t which) {
            if (known(id)) ++border[static_cast<size_t>(id) * 4 + which];
        };
        for (size_t r = 0; r < h && w; ++r) {
            const int32_t* row = map + r * w;
            each_difference(row, row + 1, w - 1, [&](size_t c) { touch(row[c], row[c + 1]); });
            if (r + 1 < h) each_difference(row, row + w, w, [&](size_t c) { touch(row[c], row[c + w]); });
            side(row[0], 0);
            side(row[w - 1], 2);
        }
        for (size_t c = 0; c < w && h; ++c) {
            side(map[c], 1);
            side(map[(h - 1) * w + c], 3);
        }
        for (const auto& [key, edges] : pairs.sorted()) {
            a.push_back(static_cast<int32_t>(key >> 32));
            b.push_back(static_cast<int32_t>(key & UINT32_MAX));
            length.push_back(edges);
        }
    }
    return nb::make_tuple(to_numpy(std::move(a)), to_numpy(std::move(b)), to_numpy(std::move(length)),
                          to_numpy(std::move(void_length)), to_numpy(std::move(border), {count, 4}));
}

// (counts, offsets, row): the connected parts of each mask, in the order of their first pixels.
nb::tuple parts(Counts counts, Offsets offsets, size_t h, size_t w, bool diagonal) {
    const size_t n = offsets.shape(0) - 1;
    RunBuilder out;
    std::vector<int32_t> rows;
    {
        nb::gil_scoped_release free;
        std::vector<Piece> pieces;
        std::vector<uint32_t> parent, part, order;
        std::vector<size_t> ends;
        for (size_t i = 0; i < n; ++i) {
            cut_at_columns(counts.data(), offsets.data()[i], offsets.data()[i + 1], h, pieces);
            join_pieces(pieces, diagonal ? 1 : 0, parent);
            ends.assign(number_parts(parent, part) + 1, 0);
            for (uint32_t k : part) ++ends[k + 1];
            std::partial_sum(ends.begin(), ends.end(), ends.begin());
            order.resize(pieces.size());
            std::vector<size_t> next(ends.begin(), ends.end() - 1);
            for (uint32_t k = 0; k < pieces.size(); ++k) order[next[part[k]]++] = k;
            for (size_t p = 0; p + 1 < ends.size(); ++p) {
                for (size_t k = ends[p]; k < ends[p + 1]; ++k) {
                    const Piece& piece = pieces[order[k]];
                    const uint64_t base = static_cast<uint64_t>(piece.column) * h;
                    out.foreground(base + piece.top, base + piece.bottom);
                }
                out.finish(static_cast<uint64_t>(h) * w);
                rows.push_back(static_cast<int32_t>(i));
            }
        }
    }
    auto runs = out.result();
    return nb::make_tuple(runs[0], runs[1], to_numpy(std::move(rows)));
}

}  // namespace

void bind_graph(nb::module_& m) {
    m.def("contacts", &contacts);
    m.def("parts", &parts);
}
