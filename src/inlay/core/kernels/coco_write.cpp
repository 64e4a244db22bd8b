// The geometry of annotations as COCO files write it.
#include <charconv>

#include "runs.hpp"

namespace {

class JsonWriter {
  public:
    std::vector<uint8_t> text;

    void add(char sign) { text.push_back(static_cast<uint8_t>(sign)); }
    void add(int64_t number) {
        char digits[24];
        char* end = std::to_chars(digits, digits + sizeof digits, number).ptr;
        text.insert(text.end(), digits, end);
    }
    // Elements from begin to end between brackets, with commas between.
    template <typename F> void list(int64_t begin, int64_t end, F element) {
        add('[');
        for (int64_t k = begin; k < end; ++k) {
            if (k > begin) add(',');
            element(k);
        }
        add(']');
    }
};

void check_ends(const Offsets& ends, size_t last) {
    const size_t n = ends.shape(0);
    if (n == 0 || ends.data()[0] != 0 || !std::is_sorted(ends.data(), ends.data() + n) ||
        static_cast<size_t>(ends.data()[n - 1]) != last)
        throw std::invalid_argument("offsets do not fit");
}

// (text, ends (N + 1,)): the rings of each of N masks as JSON lists of x, y; corners are cut to whole numbers.
nb::tuple write_rings(Array2<double> points, Offsets rings, Offsets masks) {
    if (points.shape(1) != 2) throw std::invalid_argument("points are x, y");
    check_ends(rings, points.shape(0));
    check_ends(masks, rings.shape(0) - 1);
    JsonWriter json;
    std::vector<int64_t> ends{0};
    {
        nb::gil_scoped_release free;
        json.text.reserve(points.shape(0) * 8 + masks.shape(0) * 4);
        const double* xy = points.data();
        const int64_t *ring = rings.data(), *mask = masks.data();
        for (size_t i = 0; i + 1 < masks.shape(0); ++i) {
            json.list(mask[i], mask[i + 1], [&](int64_t r) {
                json.list(2 * ring[r], 2 * ring[r + 1], [&](int64_t k) { json.add(static_cast<int64_t>(xy[k])); });
            });
            ends.push_back(static_cast<int64_t>(json.text.size()));
        }
    }
    return nb::make_tuple(to_numpy(std::move(json.text)), to_numpy(std::move(ends)));
}

}  // namespace

void bind_coco_write(nb::module_& m) { m.def("write_rings", &write_rings); }
