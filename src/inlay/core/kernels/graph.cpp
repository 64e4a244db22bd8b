// What touches what: contacts between the segments of an id map, connected parts of run lengths.
#include <numeric>

#include "runs.hpp"
#include "simd.hpp"

namespace {

// Counts per pair of rows: open addressing, since an image has few pairs and very many pixel edges.
class PairCounter {
  public:
    explicit PairCounter(size_t start = 64) : slots_(start, Slot{EMPTY, 0}) {}

    void add(uint64_t key, int64_t amount) {
        if (key != last_key_) {
            last_key_ = key;
            last_ = find(key);
        }
        slots_[last_].count += amount;
    }
    // Sorted (key, count) pairs.
    std::vector<std::pair<uint64_t, int64_t>> sorted() const {
        std::vector<std::pair<uint64_t, int64_t>> out;
        out.reserve(used_);
        for (const Slot& slot : slots_)
            if (slot.key != EMPTY) out.emplace_back(slot.key, slot.count);
        std::sort(out.begin(), out.end());
        return out;
    }

  private:
    struct Slot {
        uint64_t key;
        int64_t count;
    };
    static constexpr uint64_t EMPTY = UINT64_MAX;

    size_t find(uint64_t key) {
        if (2 * (used_ + 1) > slots_.size()) grow();
        const size_t mask = slots_.size() - 1;
        size_t at = (key * 0x9E3779B97F4A7C15ull >> 32) & mask;
        while (slots_[at].key != EMPTY && slots_[at].key != key) at = (at + 1) & mask;
        if (slots_[at].key == EMPTY) {
            slots_[at].key = key;
            ++used_;
        }
        return at;
    }
    void grow() {
        std::vector<Slot> old(slots_.size() * 2, Slot{EMPTY, 0});
        old.swap(slots_);
        used_ = 0;
        for (const Slot& slot : old)
            if (slot.key != EMPTY) slots_[find(slot.key)].count = slot.count;
    }

    std::vector<Slot> slots_;
    size_t used_ = 0, last_ = 0;
    uint64_t last_key_ = EMPTY;
};

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

// A vertical stretch of foreground inside one column.
struct Piece {
    uint32_t column, top, bottom;
};

// The runs of one mask cut at the column ends, in order.
void cut_at_columns(const uint32_t* counts, int64_t begin, int64_t end, uint64_t h, std::vector<Piece>& pieces) {
    pieces.clear();
    each_run(counts, begin, end, [&](uint64_t start, uint64_t stop) {
        for (uint64_t column = start / h; start < stop; ++column) {
            const uint64_t last = std::min(stop, (column + 1) * h);
            pieces.push_back({static_cast<uint32_t>(column), static_cast<uint32_t>(start - column * h),
                              static_cast<uint32_t>(last - column * h)});
            start = last;
        }
    });
}

uint32_t root_of(std::vector<uint32_t>& parent, uint32_t i) {
    while (parent[i] != i) i = parent[i] = parent[parent[i]];
    return i;
}

// Joins pieces of neighbouring columns that touch; `reach` is 1 where diagonal pixels count as touching, else 0.
void join_pieces(const std::vector<Piece>& pieces, uint32_t reach, std::vector<uint32_t>& parent) {
    parent.resize(pieces.size());
    std::iota(parent.begin(), parent.end(), 0u);
    size_t left = 0;
    for (size_t i = 0; i < pieces.size(); ++i) {
        const Piece& p = pieces[i];
        while (pieces[left].column + 1 < p.column) ++left;
        while (left < i && pieces[left].column + 1 == p.column && pieces[left].bottom + reach <= p.top) ++left;
        for (size_t j = left; j < i && pieces[j].column + 1 == p.column && pieces[j].top < p.bottom + reach; ++j) {
            const uint32_t one = root_of(parent, static_cast<uint32_t>(i)), other = root_of(parent, static_cast<uint32_t>(j));
            parent[std::max(one, other)] = std::min(one, other);  // the first piece stays the root
        }
    }
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
            part.assign(pieces.size(), 0);
            ends.assign(1, 0);
            for (uint32_t k = 0; k < pieces.size(); ++k) {
                const uint32_t root = root_of(parent, k);
                if (root == k) {
                    part[k] = static_cast<uint32_t>(ends.size() - 1);
                    ends.push_back(0);
                } else {
                    part[k] = part[root];
                }
                ++ends[part[k] + 1];
            }
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
