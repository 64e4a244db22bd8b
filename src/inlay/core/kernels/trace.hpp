// Run lengths to polygons: walks along the cracks between pixels, with the part on the right hand.
#pragma once
#include <array>
#include <unordered_map>

#include "pieces.hpp"

struct Corner {
    int64_t x, y;
    bool operator==(const Corner&) const = default;
};

// Directions in turning order: east, south, west, north.
inline constexpr std::array<Corner, 4> AHEAD{{{1, 0}, {0, 1}, {-1, 0}, {0, -1}}};
// Where the crack ends that has a pixel on its right, seen from that pixel's upper left corner.
inline constexpr std::array<Corner, 4> CRACK_END{{{1, 0}, {1, 1}, {0, 1}, {0, 0}}};

// The parts of one mask as numbers in a window with a margin of one pixel; columns lie together, as in the runs.
class PartMap {
  public:
    static constexpr uint32_t WALKED = 1u << 31;  // the upper crack of this pixel lies on a ring that is done

    void fill(const std::vector<Piece>& pieces, const std::vector<uint32_t>& part) {
        uint32_t top = UINT32_MAX, bottom = 0;
        for (const Piece& p : pieces) top = std::min(top, p.top), bottom = std::max(bottom, p.bottom);
        x0 = static_cast<int64_t>(pieces.front().column) - 1;
        y0 = static_cast<int64_t>(top) - 1;
        stride = static_cast<int64_t>(bottom) - y0 + 1;
        numbers.assign(static_cast<size_t>(stride * (static_cast<int64_t>(pieces.back().column) - x0 + 2)), 0);
        for (size_t k = 0; k < pieces.size(); ++k) {
            uint32_t* column = numbers.data() + (static_cast<int64_t>(pieces[k].column) - x0) * stride - y0;
            std::fill(column + pieces[k].top, column + pieces[k].bottom, part[k] + 1);
        }
    }
    uint32_t& at(int64_t x, int64_t y) { return *(numbers.data() + (x - x0) * stride + (y - y0)); }
    bool has(int64_t x, int64_t y, uint32_t number) { return (at(x, y) & ~WALKED) == number; }

  private:
    int64_t x0 = 0, y0 = 0, stride = 0;
    std::vector<uint32_t> numbers;
};

// Walks around a part from the upper crack of pixel `start`; step(pixel, direction, turn, left) is told each crack, how
// the walk turns at its end (-1 left, 0 ahead, 1 right) and whether the pixel ahead on the left is of the part.
// `diagonal`: pixels that share a corner hang together.
template <typename F> void walk(PartMap& map, Corner start, bool diagonal, F step) {
    const uint32_t number = map.at(start.x, start.y) & ~PartMap::WALKED;
    Corner p = start;
    size_t d = 0;
    do {
        if (d == 0) map.at(p.x, p.y) |= PartMap::WALKED;
        const Corner right{p.x + AHEAD[d].x, p.y + AHEAD[d].y}, side = AHEAD[(d + 3) % 4];
        const Corner left{right.x + side.x, right.y + side.y};
        const bool to_right = map.has(right.x, right.y, number), to_left = map.has(left.x, left.y, number);
        const int turn = to_left && (to_right || diagonal) ? -1 : to_right ? 0 : 1;
        step(p, d, turn, to_left);
        if (turn < 0) p = left;
        if (turn == 0) p = right;
        d = (d + static_cast<size_t>(turn + 4)) % 4;
    } while (d != 0 || !(p == start));
}

inline int64_t doubled_area(const Corner* begin, const Corner* end) {
    int64_t sum = 0;
    for (const Corner *a = end - 1, *b = begin; b < end; a = b++) sum += a->x * b->y - b->x * a->y;
    return sum;
}

// Rings along the outer edges of the pixels. A walk that comes back to a corner is split there, so that no ring
// touches itself; what runs the other way round is a hole.
class EdgeTracer {
  public:
    void trace(PartMap& map, Corner start) {
        path_.clear(), crossings_.clear();
        walk(map, start, false, [&](Corner p, size_t d, int turn, bool to_left) {
            if (turn == 0) return;
            const Corner corner{p.x + CRACK_END[d].x, p.y + CRACK_END[d].y};
            if (turn > 0 && to_left) visit_crossing(corner);
            path_.push_back(corner);
        });
        add(0);
    }
    template <typename T> void flush(T& out) {
        if (outer_.empty()) return;
        out.add(outer_.data(), outer_.data() + outer_.size(), false);
        for (size_t k = 0; k + 1 < hole_ends_.size(); ++k)
            out.add(holes_.data() + hole_ends_[k], holes_.data() + hole_ends_[k + 1], true);
        outer_.clear(), holes_.clear(), hole_ends_.assign(1, 0);
    }

  private:
    void visit_crossing(Corner corner) {
        const uint64_t key = static_cast<uint64_t>(corner.x) << 32 | static_cast<uint64_t>(corner.y);
        const auto seen = crossings_.find(key);
        if (seen == crossings_.end()) {
            crossings_[key] = path_.size();
            return;
        }
        add(seen->second);
        path_.resize(seen->second);
        crossings_.erase(seen);
    }
    void add(size_t from) {
        const Corner *begin = path_.data() + from, *end = path_.data() + path_.size();
        if (doubled_area(begin, end) > 0) {
            outer_.assign(begin, end);
        } else {
            holes_.insert(holes_.end(), begin, end);
            hole_ends_.push_back(holes_.size());
        }
    }

    std::vector<Corner> path_, outer_, holes_;
    std::vector<size_t> hole_ends_{0};
    std::unordered_map<uint64_t, size_t> crossings_;
};

// A ring through the centres of the border pixels, named by column and row. At least three points, for readers that
// refuse less: a pixel or a line repeats its last one.
template <typename T> void centre_ring(PartMap& map, Corner start, bool hole, std::vector<Corner>& path, T& out) {
    path.clear();
    walk(map, start, true, [&](Corner p, size_t, int, bool) {
        if (path.empty() || !(path.back() == p)) path.push_back(p);
    });
    if (path.size() > 1 && path.back() == path.front()) path.pop_back();
    const size_t n = path.size();
    std::vector<Corner> corners;
    for (size_t k = 0; k < n; ++k) {
        const Corner &a = path[(k + n - 1) % n], &b = path[k], &c = path[(k + 1) % n];
        const bool straight = b.x - a.x == c.x - b.x && b.y - a.y == c.y - b.y;
        if (!straight || n == 1) corners.push_back(b);
    }
    while (corners.size() < 3) corners.push_back(corners.back());
    out.add(corners.data(), corners.data() + corners.size(), hole);
}

// Tells `out` the rings of masks begin .. end - 1: add(first corner, end, hole) for each, each part's outer ring before
// its holes, then end_mask(). Masks that it skips have none.
template <typename T>
void trace_share(const Counts& counts, const Offsets& offsets, size_t begin, size_t end, size_t h, bool centres,
                 T& out) {
    PartMap map;
    EdgeTracer edges;
    std::vector<Piece> pieces;
    std::vector<uint32_t> parent, part;
    std::vector<Corner> path;
    for (size_t i = begin; i < end; ++i) {
        if (out.skips(i)) {
            out.end_mask();
            continue;
        }
        cut_at_columns(counts.data(), offsets.data()[i], offsets.data()[i + 1], h, pieces);
        join_pieces(pieces, centres ? 1 : 0, parent);
        const uint32_t count = number_parts(parent, part);
        if (count) map.fill(pieces, part);
        // Pieces by part, so that rings of one part follow one another; its first piece lies on its outer ring.
        std::vector<uint32_t> order(pieces.size());
        std::iota(order.begin(), order.end(), 0u);
        if (count > 1)
            std::stable_sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) { return part[a] < part[b]; });
        for (size_t k = 0; k < order.size(); ++k) {
            const Corner start{pieces[order[k]].column, pieces[order[k]].top};
            const bool first = k == 0 || part[order[k]] != part[order[k - 1]];
            if (first && !centres) edges.flush(out);
            if (map.at(start.x, start.y) & PartMap::WALKED) continue;
            if (centres)
                centre_ring(map, start, !first, path, out);
            else
                edges.trace(map, start);
        }
        edges.flush(out);
        out.end_mask();
    }
}
