// Polygons to run lengths by the pixel-centre rule, bit-equal to cv2.fillPoly of OpenCV 4.11 and later: integer
// vertices name pixels, edges are drawn by Bresenham's line and belong to the polygon, the inside is even-odd with
// edges stepped in 16-bit fixed point.
#include "bitmap.hpp"
#include "rings.hpp"

namespace {

constexpr int64_t ONE = 1 << 16;

struct Vertex {
    int64_t x, y;
};

Vertex vertex_of(const Rings& rings, int64_t k) {
    return {static_cast<int64_t>(rings.points[2 * k]), static_cast<int64_t>(rings.points[2 * k + 1])};
}

int outside(int64_t v, int64_t last) { return v < 0 ? 1 : v > last ? 2 : 0; }

// How far a point moves across when it is moved along a line to `limit`, in the reference's arithmetic.
int64_t meet(int64_t limit, int64_t along, int64_t across_delta, int64_t along_delta) {
    return static_cast<int64_t>(static_cast<double>(limit - along) * static_cast<double>(across_delta) /
                                static_cast<double>(along_delta));
}

// Clips a line to the pixels of the image: Cohen and Sutherland, both ends to top or bottom first, then to the sides.
// False where nothing is left; the ends may have moved all the same.
bool clip(int64_t h, int64_t w, Vertex& a, Vertex& b) {
    const int64_t right = w - 1, bottom = h - 1;
    if (right < 0 || bottom < 0) return false;
    int ax = outside(a.x, right), ay = outside(a.y, bottom), bx = outside(b.x, right), by = outside(b.y, bottom);
    if ((ax & bx) || (ay & by)) return false;
    const auto to_row = [&](Vertex& v, int& side, int& x_side) {
        if (!side) return;
        const int64_t limit = side == 1 ? 0 : bottom;
        v.x += meet(limit, v.y, b.x - a.x, b.y - a.y);
        v.y = limit;
        side = 0;
        x_side = outside(v.x, right);
    };
    to_row(a, ay, ax);
    to_row(b, by, bx);
    if (ax & bx) return false;
    const auto to_column = [&](Vertex& v, int side) {
        if (!side) return;
        const int64_t limit = side == 1 ? 0 : right;
        v.y += meet(limit, v.x, b.y - a.y, b.x - a.x);
        v.x = limit;
    };
    to_column(a, ax);
    to_column(b, bx);
    return true;
}

bool inside(int64_t h, int64_t w, const Vertex& v) { return v.x >= 0 && v.x < w && v.y >= 0 && v.y < h; }

// One side of the polygon: x at row `top` and its step per row, in 16-bit fixed point. Unsigned, so that far-away
// vertices wrap as they do in the reference instead of being undefined.
struct Side {
    int64_t top, bottom;
    uint64_t x, step;
};

class CentreFill {
  public:
    CentreFill(int64_t h, int64_t w) : h_(h), w_(w) {}

    // Draws rings [first, end) into the bitmap as one even-odd polygon.
    void draw(const Rings& rings, int64_t first, int64_t end, Bitmap& out) {
        sides_.clear();
        for (int64_t r = first; r < end; ++r) {
            const int64_t begin = rings.ring_offsets[r], stop = rings.ring_offsets[r + 1];
            for (int64_t k = begin; k < stop; ++k)
                side(vertex_of(rings, k > begin ? k - 1 : stop - 1), vertex_of(rings, k), out);
        }
        spans(out);
    }

  private:
    void side(Vertex a, Vertex b, Bitmap& out) {
        Vertex from = a, to = b;
        const bool whole = inside(h_, w_, a) && inside(h_, w_, b);
        if (whole || clip(h_, w_, from, to)) line(from, to, out);
        if (a.y == b.y) return;
        // What clipping left of the line gives the slope; where that is level, the rows stay those of the whole line.
        const uint64_t ax = static_cast<uint64_t>(from.x) * ONE, bx = static_cast<uint64_t>(to.x) * ONE;
        const bool level = from.y == to.y;
        const int64_t ay = level ? a.y : from.y, by = level ? b.y : to.y;
        const uint64_t step = static_cast<uint64_t>(static_cast<int64_t>(bx - ax) / (by - ay));
        if (a.y < b.y)
            sides_.push_back({a.y, b.y, ax + static_cast<uint64_t>(a.y - ay) * step, step});
        else
            sides_.push_back({b.y, a.y, bx + static_cast<uint64_t>(b.y - by) * step, step});
    }

    // Bresenham's line from left to right.
    void line(Vertex a, Vertex b, Bitmap& out) const {
        if (a.x > b.x) std::swap(a, b);
        const int64_t dx = b.x - a.x, dy = std::abs(b.y - a.y), down = b.y < a.y ? -1 : 1;
        const int64_t major = std::max(dx, dy), minor = std::min(dx, dy);
        int64_t error = major - 2 * minor;
        for (int64_t k = 0; k <= major; ++k) {
            out.set(a.x, a.y);
            const bool turn = error < 0;
            error += (turn ? 2 * major : 0) - 2 * minor;
            if (dy > dx)
                a.y += down, a.x += turn;
            else
                a.x += 1, a.y += turn ? down : 0;
        }
    }

    // Fills between the odd and even sides of each row, from the first to the last whole pixel.
    void spans(Bitmap& out) {
        const int64_t top = out.top(), rows = out.bottom() - top;
        const auto each_row = [&](auto visit) {
            for (const Side& s : sides_)
                for (int64_t y = std::max(s.top, top); y < std::min(s.bottom, top + rows); ++y)
                    visit(s, y, static_cast<size_t>(y - top));
        };
        starts_.assign(static_cast<size_t>(rows) + 1, 0);
        each_row([&](const Side&, int64_t, size_t row) { ++starts_[row + 1]; });
        for (size_t y = 1; y < starts_.size(); ++y) starts_[y] += starts_[y - 1];
        crossings_.resize(starts_.back());
        ends_.assign(starts_.begin(), starts_.end() - 1);
        each_row([&](const Side& s, int64_t y, size_t row) {
            crossings_[ends_[row]++] = static_cast<int64_t>(s.x + static_cast<uint64_t>(y - s.top) * s.step);
        });
        for (int64_t y = 0; y < rows; ++y) {
            const auto begin = crossings_.begin() + static_cast<int64_t>(starts_[static_cast<size_t>(y)]);
            const auto end = crossings_.begin() + static_cast<int64_t>(starts_[static_cast<size_t>(y) + 1]);
            std::sort(begin, end);
            for (auto k = begin; k + 1 < end; k += 2) {
                const int64_t left = static_cast<int32_t>((k[0] + ONE - 1) >> 16);
                const int64_t right = static_cast<int32_t>(k[1] >> 16);
                if (left < w_ && right >= 0) out.fill(top + y, std::max<int64_t>(left, 0), std::min(right, w_ - 1));
            }
        }
    }

    int64_t h_, w_;
    std::vector<Side> sides_;
    std::vector<size_t> starts_, ends_;
    std::vector<int64_t> crossings_;
};

}  // namespace

nb::tuple fill_centre(Array2<double> points, Offsets ring_offsets, Offsets mask_offsets, Array1<uint8_t> is_hole,
                      int64_t h, int64_t w) {
    const Rings rings(points, ring_offsets, mask_offsets, is_hole);
    RunBuilder out;
    {
        nb::gil_scoped_release free;
        CentreFill fill(h, w);
        Bitmap bitmap;
        for (size_t i = 0; i < rings.masks; ++i) {
            const int64_t first = rings.mask_offsets[i], end = rings.mask_offsets[i + 1];
            Vertex low{w, h}, high{-1, -1};
            for (int64_t k = rings.ring_offsets[first]; k < rings.ring_offsets[end]; ++k) {
                const Vertex v = vertex_of(rings, k);
                low = {std::min(low.x, v.x), std::min(low.y, v.y)};
                high = {std::max(high.x, v.x), std::max(high.y, v.y)};
            }
            // A line that is clipped goes on with the slope of what is left of it, which may lead anywhere.
            const bool clipped = low.x < 0 || low.y < 0 || high.x >= w || high.y >= h;
            bitmap.reset(clipped ? 0 : low.x, std::max<int64_t>(low.y, 0), clipped ? w : high.x + 1,
                         std::min(high.y + 1, h));
            for (int64_t r = first; r < end;) {
                const int64_t group = rings.group_end(i, r);
                fill.draw(rings, r, group, bitmap);
                r = group;
            }
            bitmap.encode(static_cast<uint64_t>(h), static_cast<uint64_t>(w), out);
        }
    }
    return out.result();
}
