// Run lengths as every kernel sees them: N masks of one image in two flat arrays.
// `counts` alternates background and foreground lengths down the columns, first run background (the COCO
// order); mask i owns counts[offsets[i] .. offsets[i + 1]).
#pragma once
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <stdexcept>
#include <vector>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace nb = nanobind;

template <typename T> using Array1 = nb::ndarray<const T, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
template <typename T> using Array2 = nb::ndarray<const T, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
template <typename T> using Array3 = nb::ndarray<const T, nb::ndim<3>, nb::c_contig, nb::device::cpu>;
template <typename T> using Numpy = nb::ndarray<nb::numpy, T, nb::c_contig>;

using Counts = Array1<uint32_t>;
using Offsets = Array1<int64_t>;

// Large memory in large pages, where the system has them: to be given thousands of small ones takes longer than to fill
// them.
template <typename T> struct LargePages {
    using value_type = T;
    static constexpr size_t PAGE = size_t{1} << 21;

    LargePages() = default;
    template <typename U> LargePages(const LargePages<U>&) {}
    T* allocate(size_t n) {
#ifdef __linux__
        if (n * sizeof(T) >= 2 * PAGE) {
            const size_t bytes = (n * sizeof(T) + PAGE - 1) / PAGE * PAGE;
            void* found = std::aligned_alloc(PAGE, bytes);
            if (!found) throw std::bad_alloc();
            madvise(found, bytes, MADV_HUGEPAGE);
            return static_cast<T*>(found);
        }
#endif
        void* found = std::malloc(std::max<size_t>(n, 1) * sizeof(T));
        if (!found) throw std::bad_alloc();
        return static_cast<T*>(found);
    }
    void deallocate(T* found, size_t) { std::free(found); }
    // What a vector makes room for is not written until it is set.
    template <typename U> void construct(U* at) { ::new (static_cast<void*>(at)) U; }
    template <typename U, typename... A> void construct(U* at, A&&... values) {
        ::new (static_cast<void*>(at)) U(std::forward<A>(values)...);
    }
    friend bool operator==(const LargePages&, const LargePages&) { return true; }
};
template <typename T> using Roomy = std::vector<T, LargePages<T>>;

// Hands a vector to numpy without a copy; the array owns it from then on.
template <typename T, typename A> Numpy<T> to_numpy(std::vector<T, A>&& values, std::initializer_list<size_t> shape) {
    auto* owned = new std::vector<T, A>(std::move(values));
    nb::capsule owner(owned, [](void* p) noexcept { delete static_cast<std::vector<T, A>*>(p); });
    return Numpy<T>(owned->data(), shape, owner);
}
template <typename T, typename A> Numpy<T> to_numpy(std::vector<T, A>&& values) {
    const size_t n = values.size();
    return to_numpy(std::move(values), {n});
}

// An uninitialised numpy array: std::vector would write every page twice.
template <typename T> Numpy<T> new_numpy(std::initializer_list<size_t> shape) {
    size_t n = 1;
    for (size_t s : shape) n *= s;
    return to_numpy(Roomy<T>(n), shape);
}

// Masks under construction. `add` takes (value, length) pieces in order and merges equal neighbours, so what it
// holds is canonical: no empty run but possibly the first.
class RunBuilder {
  public:
    std::vector<uint32_t> counts;
    std::vector<int64_t> offsets{0};

    void add(bool value, uint64_t length) {
        if (length == 0) return;
        if (value != value_) {
            counts.push_back(static_cast<uint32_t>(open_));
            open_ = 0;
            value_ = value;
        }
        open_ += length;
    }
    // Foreground [start, stop) in column-major positions; pieces come in rising order.
    void foreground(uint64_t start, uint64_t stop) {
        add(false, start - position_);
        add(true, stop - start);
        position_ = stop;
    }
    void finish() {
        counts.push_back(static_cast<uint32_t>(open_));
        offsets.push_back(static_cast<int64_t>(counts.size()));
        open_ = 0;
        position_ = 0;
        value_ = false;
    }
    void finish(uint64_t pixels) {
        add(false, pixels - position_);
        finish();
    }
    nb::tuple result() { return nb::make_tuple(to_numpy(std::move(counts)), to_numpy(std::move(offsets))); }

  private:
    uint64_t open_ = 0, position_ = 0;
    bool value_ = false;
};

// Calls piece(start, stop) for each foreground run of mask i, in column-major positions.
template <typename F> inline void each_run(const uint32_t* counts, int64_t begin, int64_t end, F piece) {
    uint64_t at = 0;
    for (int64_t k = begin; k + 1 < end; k += 2) {
        at += counts[k];
        const uint64_t stop = at + counts[k + 1];
        if (stop > at) piece(at, stop);
        at = stop;
    }
}

// (h, w) row-major to (w, h) in square blocks that stay in the first-level cache.
template <typename T> void transpose(const T* from, T* to, size_t h, size_t w) {
    constexpr size_t B = 32;
    for (size_t r0 = 0; r0 < h; r0 += B)
        for (size_t c0 = 0; c0 < w; c0 += B) {
            const size_t r1 = std::min(r0 + B, h), c1 = std::min(c0 + B, w);
            for (size_t c = c0; c < c1; ++c)
                for (size_t r = r0; r < r1; ++r) to[c * h + r] = from[r * w + c];
        }
}

void bind_runs(nb::module_&);
void bind_strings(nb::module_&);
void bind_raster(nb::module_&);
void bind_graph(nb::module_&);
void bind_trace(nb::module_&);
void bind_arcs(nb::module_&);
void bind_match(nb::module_&);
void bind_morphology(nb::module_&);
void bind_placing(nb::module_&);
void bind_distance(nb::module_&);
void bind_coco_text(nb::module_&);
void bind_judge(nb::module_&);
void bind_geodesic(nb::module_&);
void bind_neighbours(nb::module_&);
void bind_tally(nb::module_&);
void bind_png(nb::module_&);
void bind_coco_write(nb::module_&);
