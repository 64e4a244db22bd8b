// What touches what, on run lengths: one sweep over the columns of masks that do not overlap. And masks picked out.
#include <span>
#include <unordered_map>

#include "runs.hpp"

namespace {

// A stretch of a mask down one column.
struct Stretch {
    uint32_t start, stop;
    int32_t row;
};

// The stretches of all masks by column, and inside a column by start.
class Sweep {
  public:
    Sweep(const Counts& counts, const Offsets& offsets, uint64_t h, uint64_t w) : ends_(w + 1, 0) {
        const size_t n = offsets.shape(0) - 1;
        const auto each = [&](auto put) {
            for (size_t i = 0; i < n; ++i) {
                uint64_t column = 0, base = 0;  // runs rise: the column is found without a division, mostly
                each_run(counts.data(), offsets.data()[i], offsets.data()[i + 1], [&](uint64_t start, uint64_t stop) {
                    if (start >= base + 2 * h) column = start / h, base = column * h;
                    for (; start >= base + h; ++column) base += h;
                    for (; start < stop; start = std::min(stop, base + h), ++column, base += h)
                        put(column, Stretch{static_cast<uint32_t>(start - base),
                                            static_cast<uint32_t>(std::min(stop - base, h)), static_cast<int32_t>(i)});
                    --column, base -= h;
                });
            }
        };
        each([&](uint64_t column, const Stretch&) { ++ends_[column + 1]; });
        for (size_t c = 0; c < w; ++c) ends_[c + 1] += ends_[c];
        stretches_.resize(ends_[w]);
        std::vector<size_t> next(ends_.begin(), ends_.end() - 1);
        each([&](uint64_t column, const Stretch& stretch) { stretches_[next[column]++] = stretch; });
        for (size_t c = 0; c < w; ++c) sort(at(c));
    }
    std::span<Stretch> at(size_t column) {
        return {stretches_.data() + ends_[column], ends_[column + 1] - ends_[column]};
    }
    size_t size() const { return stretches_.size(); }

  private:
    static void sort(std::span<Stretch> column) {
        const auto before = [](const Stretch& one, const Stretch& other) { return one.start < other.start; };
        if (column.size() > 24) {
            std::stable_sort(column.begin(), column.end(), before);
            return;
        }
        for (size_t k = 1; k < column.size(); ++k)
            for (size_t j = k; j > 0 && before(column[j], column[j - 1]); --j) std::swap(column[j], column[j - 1]);
    }
    std::vector<size_t> ends_;
    std::vector<Stretch> stretches_;
};

// Edges of each ordered pair of rows: a table while it is small, else only the pairs there are.
class Edges {
  public:
    explicit Edges(size_t rows) : rows_(rows), table_(rows <= 512 ? rows * rows : 0) {}
    void add(int32_t one, int32_t other, int64_t edges) {
        const size_t key = static_cast<size_t>(one) * rows_ + static_cast<size_t>(other);
        if (rows_ <= 512)
            table_[key] += edges;
        else
            few_[key] += edges;
    }
    int64_t of(size_t key) const {
        if (rows_ <= 512) return table_[key];
        const auto found = few_.find(key);
        return found == few_.end() ? 0 : found->second;
    }
    // Keys low * rows + high of the pairs that have edges in either order here or in `other`, rising.
    std::vector<size_t> pairs(const Edges& other) const {
        std::vector<size_t> keys;
        const auto note = [&](size_t key, int64_t edges) {
            const size_t one = key / rows_, two = key % rows_;
            if (edges && one != two) keys.push_back(std::min(one, two) * rows_ + std::max(one, two));
        };
        for (const Edges* each : {this, &other}) {
            for (size_t key = 0; key < each->table_.size(); ++key) note(key, each->table_[key]);
            for (const auto& [key, edges] : each->few_) note(key, edges);
        }
        std::sort(keys.begin(), keys.end());
        keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
        return keys;
    }
    size_t turned(size_t key) const { return key % rows_ * rows_ + key / rows_; }

  private:
    size_t rows_;
    std::vector<int64_t> table_;
    std::unordered_map<size_t, int64_t> few_;
};

// (a, b, length, over (P, 2): edges where a lies straight over b, and b over a, void length (N,), border (N, 4) left
// top right bottom, lower (N,) edges at the lower ends) of masks that do not overlap.
nb::tuple neighbours(Counts counts, Offsets offsets, uint64_t h, uint64_t w) {
    const size_t n = offsets.shape(0) - 1;
    std::vector<int32_t> a, b;
    std::vector<int64_t> length, over, around(n, 0), border(n * 4, 0), lower(n, 0);
    {
        nb::gil_scoped_release free;
        Sweep sweep(counts, offsets, h, h ? w : 0);
        Edges beside(n), stacked(n);
        std::span<Stretch> left;
        for (size_t c = 0; c < w && h; ++c) {
            const std::span<Stretch> here = sweep.at(c);
            for (size_t k = 0; k < here.size(); ++k) {
                const auto [start, stop, row] = here[k];
                const int64_t edges = static_cast<int64_t>(stop) - start;
                const auto r = static_cast<size_t>(row);
                around[r] += 2 * edges + 2, ++lower[r];
                if (c == 0) border[4 * r] += edges;
                if (start == 0) ++border[4 * r + 1];
                if (c + 1 == w) border[4 * r + 2] += edges;
                if (stop == h) ++border[4 * r + 3];
                if (k && here[k - 1].stop == start) stacked.add(here[k - 1].row, row, 1);
            }
            for (size_t k = 0, j = 0; k < here.size() && j < left.size();) {
                const uint32_t start = std::max(here[k].start, left[j].start);
                const uint32_t stop = std::min(here[k].stop, left[j].stop);
                if (start < stop) beside.add(left[j].row, here[k].row, static_cast<int64_t>(stop) - start);
                const uint32_t one = here[k].stop, other = left[j].stop;
                k += one <= other, j += other <= one;
            }
            left = here;
        }
        for (size_t r = 0; r < n; ++r) {
            around[r] -= 2 * (beside.of(r * n + r) + stacked.of(r * n + r));
            for (size_t side = 0; side < 4; ++side) around[r] -= border[4 * r + side];
            lower[r] -= stacked.of(r * n + r);
        }
        for (const size_t key : beside.pairs(stacked)) {
            const size_t turned = stacked.turned(key), low = key / n, high = key % n;
            const int64_t above = stacked.of(key), below = stacked.of(turned);
            const int64_t edges = beside.of(key) + beside.of(turned) + above + below;
            a.push_back(static_cast<int32_t>(low)), b.push_back(static_cast<int32_t>(high));
            length.push_back(edges), over.push_back(above), over.push_back(below);
            around[low] -= edges, around[high] -= edges;
        }
    }
    const size_t pairs = a.size();
    return nb::make_tuple(to_numpy(std::move(a)), to_numpy(std::move(b)), to_numpy(std::move(length)),
                          to_numpy(std::move(over), {pairs, 2}), to_numpy(std::move(around)),
                          to_numpy(std::move(border), {n, 4}), to_numpy(std::move(lower)));
}

// (counts, offsets) of the masks at some rows.
nb::tuple take(Counts counts, Offsets offsets, Array1<int64_t> rows) {
    const int64_t n = static_cast<int64_t>(offsets.shape(0)) - 1;
    const int64_t* at = offsets.data();
    std::vector<int64_t> ends(rows.shape(0) + 1, 0);
    for (size_t k = 0; k < rows.shape(0); ++k) {
        const int64_t row = rows.data()[k];
        if (row < 0 || row >= n) throw std::out_of_range("no such row");
        ends[k + 1] = ends[k] + at[row + 1] - at[row];
    }
    Numpy<uint32_t> taken = new_numpy<uint32_t>({static_cast<size_t>(ends.back())});
    for (size_t k = 0; k < rows.shape(0); ++k) {
        const size_t bytes = static_cast<size_t>(ends[k + 1] - ends[k]) * sizeof(uint32_t);
        if (bytes) std::memcpy(taken.data() + ends[k], counts.data() + at[rows.data()[k]], bytes);
    }
    return nb::make_tuple(taken, to_numpy(std::move(ends)));
}

}  // namespace

void bind_neighbours(nb::module_& m) {
    m.def("neighbours", &neighbours);
    m.def("take", &take);
}
