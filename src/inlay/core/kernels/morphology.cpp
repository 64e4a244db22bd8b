// Erode, dilate and boundary bands of many masks, in threads.
#include "morphology.hpp"
#include "threads.hpp"

namespace {

constexpr double GRAIN = 1e5;  // runs worth a thread of their own

// A radius beyond the image does what the size of the image does.
double usable(double radius, uint64_t h, uint64_t w) {
    if (!(radius >= 0) || h > INT32_MAX || w > INT32_MAX) throw std::invalid_argument("a radius must not be negative");
    return std::min(radius, static_cast<double>(h + w));
}

nb::tuple morph(Operation operation, Counts counts, Offsets offsets, uint64_t h, uint64_t w, double radius, bool disk,
                int threads) {
    const size_t n = offsets.shape(0) - 1;
    radius = usable(radius, h, w);
    RunBuilder out;
    {
        nb::gil_scoped_release free;
        const double cost = static_cast<double>(counts.shape(0)) * (disk ? 2 * radius + 1 : 4);
        out = build_in_shares(n, cost, GRAIN, threads, [&](size_t begin, size_t end, RunBuilder& part) {
            Morphology morphology(radius, disk, h, w);
            Columns mask;
            for (size_t i = begin; i < end; ++i) {
                mask.read(counts.data(), offsets.data()[i], offsets.data()[i + 1], h);
                morphology.apply(operation, mask).write(h, h * w, part);
            }
        });
    }
    return out.result();
}

nb::tuple erode(Counts counts, Offsets offsets, uint64_t h, uint64_t w, double radius, bool disk, int threads) {
    return morph(shrink, counts, offsets, h, w, radius, disk, threads);
}

nb::tuple dilate(Counts counts, Offsets offsets, uint64_t h, uint64_t w, double radius, bool disk, int threads) {
    return morph(grow, counts, offsets, h, w, radius, disk, threads);
}

// Each mask without its erosion by a square of the given reach.
nb::tuple band(Counts counts, Offsets offsets, uint64_t h, uint64_t w, int32_t reach, int threads) {
    const size_t n = offsets.shape(0) - 1;
    reach = static_cast<int32_t>(usable(reach, h, w));
    RunBuilder out;
    {
        nb::gil_scoped_release free;
        const double cost = 2 * static_cast<double>(counts.shape(0));
        out = build_in_shares(n, cost, GRAIN, threads, [&](size_t begin, size_t end, RunBuilder& part) {
            Bands bands(reach, h, w);
            Columns mask;
            for (size_t i = begin; i < end; ++i) {
                mask.read(counts.data(), offsets.data()[i], offsets.data()[i + 1], h);
                bands.append(mask, part);
            }
        });
    }
    return out.result();
}

}  // namespace

void bind_morphology(nb::module_& m) {
    m.def("erode", &erode);
    m.def("dilate", &dilate);
    m.def("band", &band);
}
