// Shared edges: an id map to arcs between its segments, arcs back to an id map, and arcs made simpler.
#include <array>
#include <cmath>

#include "runs.hpp"
#include "simd.hpp"

namespace {

constexpr int32_t NOBODY = -1;

// The cracks between the pixels of an id map, on the grid of pixel corners. Outside the image there is nobody.
class CrackGrid {
  public:
    enum : uint8_t { EAST = 1, SOUTH = 2, EAST_DONE = 4, SOUTH_DONE = 8 };

    CrackGrid(const int32_t* ids, int64_t h, int64_t w)
        : h(h), w(w), ids_(ids), flags_(static_cast<size_t>((h + 1) * (w + 1)), 0) {
        const std::vector<int32_t> nobody(static_cast<size_t>(w), NOBODY);
        for (int64_t y = 0; y <= h; ++y) {
            const int32_t* above = y ? ids + (y - 1) * w : nobody.data();
            const int32_t* here = y < h ? ids + y * w : nobody.data();
            uint8_t* row = &flags_[static_cast<size_t>(y * (w + 1))];
            each_difference(above, here, static_cast<size_t>(w), [&](size_t x) { row[x] |= EAST; });
            if (y == h || w == 0) continue;
            if (here[0] != NOBODY) row[0] |= SOUTH;
            each_difference(here, here + 1, static_cast<size_t>(w - 1), [&](size_t x) { row[x + 1] |= SOUTH; });
            if (here[w - 1] != NOBODY) row[w] |= SOUTH;
        }
    }
    int32_t id(int64_t x, int64_t y) const {
        return x < 0 || y < 0 || x >= w || y >= h ? NOBODY : ids_[y * w + x];
    }
    // The flag of the crack that leaves a corner east, south, west or north; `done` says whether it was walked.
    uint8_t& flag(int64_t x, int64_t y, int d) {
        return flags_[static_cast<size_t>((y - (d == 3)) * (w + 1) + x - (d == 2))];
    }
    bool has(int64_t x, int64_t y, int d) {
        if ((d == 2 && x == 0) || (d == 3 && y == 0)) return false;
        return flag(x, y, d) & (d % 2 ? SOUTH : EAST);
    }
    bool done(int64_t x, int64_t y, int d) { return flag(x, y, d) & (d % 2 ? SOUTH_DONE : EAST_DONE); }
    void walk(int64_t x, int64_t y, int d) { flag(x, y, d) |= d % 2 ? SOUTH_DONE : EAST_DONE; }

    // Arcs end where three or more meet, where one leaves the border of the image, and at the image's corners.
    bool is_node(int64_t x, int64_t y) {
        const bool east = has(x, y, 0), south = has(x, y, 1), west = has(x, y, 2), north = has(x, y, 3);
        if (east + south + west + north != 2) return east || south || west || north;
        const bool at_side = x == 0 || x == w, at_end = y == 0 || y == h;
        return (at_side && !(north && south)) || (at_end && !(west && east));
    }

    const int64_t h, w;

  private:
    const int32_t* ids_;
    std::vector<uint8_t> flags_;
};

constexpr std::array<int, 4> DX{1, 0, -1, 0}, DY{0, 1, 0, -1};

struct Arcs {
    std::vector<double> points;
    std::vector<int64_t> offsets{0};
    std::vector<int32_t> left, right;

    void point(int64_t x, int64_t y) {
        points.push_back(static_cast<double>(x));
        points.push_back(static_cast<double>(y));
    }
};

// Follows cracks from a corner until a node, or until the walk is back where it began.
void follow(CrackGrid& grid, int64_t x, int64_t y, int d, Arcs& out) {
    const int64_t x0 = x, y0 = y;
    // Pixels beside the first crack: the left one lies above a walk to the east.
    const std::array<int, 4> left_x{0, 0, -1, -1}, left_y{-1, 0, 0, -1}, right_x{0, -1, -1, 0}, right_y{0, 0, -1, -1};
    const auto at = static_cast<size_t>(d);
    out.left.push_back(grid.id(x + left_x[at], y + left_y[at]));
    out.right.push_back(grid.id(x + right_x[at], y + right_y[at]));
    out.point(x, y);
    for (;;) {
        grid.walk(x, y, d);
        x += DX[static_cast<size_t>(d)];
        y += DY[static_cast<size_t>(d)];
        if ((x == x0 && y == y0) || grid.is_node(x, y)) break;
        int next = d;
        if (!grid.has(x, y, d)) next = grid.has(x, y, (d + 1) % 4) ? (d + 1) % 4 : (d + 3) % 4;
        if (next != d) out.point(x, y);
        d = next;
    }
    out.point(x, y);
    out.offsets.push_back(static_cast<int64_t>(out.points.size() / 2));
}

// (points (P, 2), offsets, left, right): every crack of an id map lies on one arc; -1 is nobody.
nb::tuple arcs(Array2<int32_t> ids) {
    Arcs out;
    {
        nb::gil_scoped_release free;
        CrackGrid grid(ids.data(), static_cast<int64_t>(ids.shape(0)), static_cast<int64_t>(ids.shape(1)));
        const auto each_corner = [&](auto visit) {
            for (int64_t y = 0; y <= grid.h; ++y)
                for (int64_t x = 0; x <= grid.w; ++x) visit(x, y);
        };
        each_corner([&](int64_t x, int64_t y) {
            if (!grid.is_node(x, y)) return;
            for (int d = 0; d < 4; ++d)
                if (grid.has(x, y, d) && !grid.done(x, y, d)) follow(grid, x, y, d, out);
        });
        each_corner([&](int64_t x, int64_t y) {  // what is left are loops; each has a way east from its first corner
            if (grid.has(x, y, 0) && !grid.done(x, y, 0)) follow(grid, x, y, 0, out);
        });
    }
    const size_t n = out.points.size() / 2;
    return nb::make_tuple(to_numpy(std::move(out.points), {n, 2}), to_numpy(std::move(out.offsets)),
                          to_numpy(std::move(out.left)), to_numpy(std::move(out.right)));
}

void check_arcs(const Array2<double>& points, const Offsets& offsets) {
    const size_t n = offsets.shape(0);
    bool fits = points.shape(1) == 2 && n > 0 && offsets.data()[0] == 0 &&
                offsets.data()[n - 1] == static_cast<int64_t>(points.shape(0));
    for (size_t i = 1; i < n && fits; ++i) fits = offsets.data()[i - 1] <= offsets.data()[i];
    if (!fits) throw std::invalid_argument("offsets of arcs do not rise from 0 to the end");
}

struct Crossing {
    double x;
    int32_t west, east;  // rows on its two sides
};

// Which rows one is in while walking east along a line. Arcs that somebody has laid across one another enter and leave
// rows out of turn; counting makes up for it, so that a slip never runs on beyond the place where it happens.
class Inside {
  public:
    explicit Inside(size_t rows) : counts_(rows + 1, 0) { begin(); }
    void begin() {
        for (int32_t row : in_) counts_[at(row)] = 0;
        for (int32_t row : out_) counts_[at(row)] = 0;
        in_.assign(1, NOBODY);
        out_.clear();
        counts_[at(NOBODY)] = 1;
    }
    void cross(int32_t west, int32_t east) {
        change(west, -1);
        change(east, 1);
    }
    // The front one of the rows one is in; there is always one, since all counts together make 1.
    int32_t front() const { return *std::max_element(in_.begin(), in_.end()); }

  private:
    static size_t at(int32_t row) { return static_cast<size_t>(row + 1); }
    void change(int32_t row, int32_t by) {
        int32_t& count = counts_[at(row)];
        if (count > 0 && count + by == 0) in_.erase(std::find(in_.begin(), in_.end(), row));
        if (count < 0 && count + by == 0) out_.erase(std::find(out_.begin(), out_.end(), row));
        if (count == 0) (by > 0 ? in_ : out_).push_back(row);
        count += by;
    }

    std::vector<int32_t> counts_, in_, out_;
};

// Rows [first, last) whose centres lie between the two ends of an edge, the lower end left out.
std::pair<int64_t, int64_t> rows_between(double y0, double y1, int64_t h) {
    const auto row = [last = static_cast<double>(h)](double y) {
        return static_cast<int64_t>(std::clamp(std::ceil(y - .5), 0., last));
    };
    return {row(std::min(y0, y1)), row(std::max(y0, y1))};
}

// One pixel line of an id map from its crossings, in order: a pixel belongs to what its centre is in.
void paint_line(const Crossing* begin, const Crossing* end, Inside& inside, int32_t* line, int64_t w) {
    inside.begin();
    int64_t from = 0;
    for (const Crossing* c = begin; c < end; ++c) {
        const auto to = static_cast<int64_t>(std::clamp(std::ceil(c->x - .5), 0., static_cast<double>(w)));
        if (from < to) {
            std::fill(line + from, line + to, inside.front());
            from = to;
        }
        inside.cross(c->west, c->east);
    }
    std::fill(line + from, line + w, inside.front());
}

// The id map whose edges are the arcs: each line of pixel centres is cut where arcs cross it. Whatever the arcs are,
// each pixel gets one row, or nobody (-1).
Numpy<int32_t> sweep(Array2<double> points, Offsets offsets, Array1<int32_t> left, Array1<int32_t> right, int64_t h,
                     int64_t w) {
    check_arcs(points, offsets);
    const size_t n = offsets.shape(0) - 1;
    if (left.shape(0) != n || right.shape(0) != n) throw std::invalid_argument("arcs and rows differ in number");
    if (h < 0 || w < 0) throw std::invalid_argument("an image has no negative size");
    int32_t rows = 0;
    for (size_t i = 0; i < n; ++i) {
        if (std::min(left.data()[i], right.data()[i]) < NOBODY) throw std::invalid_argument("a row is below -1");
        rows = std::max({rows, left.data()[i] + 1, right.data()[i] + 1});
    }
    auto out = new_numpy<int32_t>({static_cast<size_t>(h), static_cast<size_t>(w)});
    int32_t* ids = out.data();
    nb::gil_scoped_release free;
    const auto each_edge = [&](auto visit) {
        for (size_t i = 0; i < n; ++i)
            for (int64_t k = offsets.data()[i]; k + 1 < offsets.data()[i + 1]; ++k) {
                const double* p = points.data() + 2 * k;
                const auto [first, last] = rows_between(p[1], p[3], h);
                if (first < last) visit(i, p, first, last);
            }
    };
    std::vector<size_t> starts(static_cast<size_t>(h) + 1, 0);
    each_edge([&](size_t, const double*, int64_t first, int64_t last) {
        for (int64_t y = first; y < last; ++y) ++starts[static_cast<size_t>(y) + 1];
    });
    for (size_t y = 1; y < starts.size(); ++y) starts[y] += starts[y - 1];
    std::vector<Crossing> crossings(starts.back());
    std::vector<size_t> ends(starts.begin(), starts.end() - 1);
    each_edge([&](size_t i, const double* p, int64_t first, int64_t last) {
        const double slope = (p[2] - p[0]) / (p[3] - p[1]);
        Crossing crossing{0., right.data()[i], left.data()[i]};
        if (p[3] < p[1]) std::swap(crossing.west, crossing.east);
        for (int64_t y = first; y < last; ++y) {
            crossing.x = p[0] + (static_cast<double>(y) + .5 - p[1]) * slope;
            crossings[ends[static_cast<size_t>(y)]++] = crossing;
        }
    });
    Inside inside(static_cast<size_t>(rows));
    for (int64_t y = 0; y < h; ++y) {
        Crossing* begin = crossings.data() + starts[static_cast<size_t>(y)];
        Crossing* end = crossings.data() + starts[static_cast<size_t>(y) + 1];
        std::sort(begin, end, [](const Crossing& a, const Crossing& b) { return a.x < b.x; });
        paint_line(begin, end, inside, ids + y * w, w);
    }
    return out;
}

double distance_squared(const double* p, const double* a, const double* b) {
    const double dx = b[0] - a[0], dy = b[1] - a[1], length = dx * dx + dy * dy;
    const double t = length > 0 ? std::clamp(((p[0] - a[0]) * dx + (p[1] - a[1]) * dy) / length, 0., 1.) : 0.;
    const double ex = a[0] + t * dx - p[0], ey = a[1] + t * dy - p[1];
    return ex * ex + ey * ey;
}

// The point of (first, last) that lies farthest from the line between the two; `first` where there is none.
std::pair<int64_t, double> farthest(const double* points, int64_t first, int64_t last) {
    std::pair<int64_t, double> best{first, -1.};
    for (int64_t k = first + 1; k < last; ++k) {
        const double d = distance_squared(points + 2 * k, points + 2 * first, points + 2 * last);
        if (d > best.second) best = {k, d};
    }
    return best;
}

// Douglas and Peucker: keeps the farthest point of a stretch while it lies beyond the tolerance.
void thin(const double* points, int64_t first, int64_t last, double limit, uint8_t* keep) {
    std::vector<std::pair<int64_t, int64_t>> stack{{first, last}};
    while (!stack.empty()) {
        const auto [a, b] = stack.back();
        stack.pop_back();
        const auto [k, d] = farthest(points, a, b);
        if (k == a || d <= limit) continue;
        keep[k] = 1;
        stack.emplace_back(a, k);
        stack.emplace_back(k, b);
    }
}

// Which points stay when arcs are simplified: the ends always, of a loop at least three.
Numpy<uint8_t> simplify(Array2<double> points, Offsets offsets, double tolerance) {
    check_arcs(points, offsets);
    const size_t n = points.shape(0);
    auto out = new_numpy<uint8_t>({n});
    uint8_t* keep = out.data();
    nb::gil_scoped_release free;
    std::fill(keep, keep + n, uint8_t{0});
    const double *p = points.data(), limit = tolerance * tolerance;
    for (size_t i = 0; i + 1 < offsets.shape(0); ++i) {
        const int64_t first = offsets.data()[i], last = offsets.data()[i + 1] - 1;
        if (first > last) continue;
        keep[first] = keep[last] = 1;
        const bool loop = last - first > 2 && p[2 * first] == p[2 * last] && p[2 * first + 1] == p[2 * last + 1];
        if (!loop) {
            thin(p, first, last, limit, keep);
            continue;
        }
        const int64_t middle = farthest(p, first, last).first;
        keep[middle] = 1;
        thin(p, first, middle, limit, keep);
        thin(p, middle, last, limit, keep);
        if (std::count(keep + first, keep + last, uint8_t{1}) > 2) continue;
        const auto one = farthest(p, first, middle), other = farthest(p, middle, last);
        keep[one.second > other.second ? one.first : other.first] = 1;
    }
    return out;
}

}  // namespace

void bind_arcs(nb::module_& m) {
    m.def("arcs", &arcs);
    m.def("sweep", &sweep);
    m.def("simplify", &simplify);
}
