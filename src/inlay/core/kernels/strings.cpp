// Masks to and from the printable form of COCO files.
#include "run_text.hpp"

namespace {

nb::tuple to_strings(Counts counts, Offsets offsets) {
    const size_t n = offsets.shape(0) - 1;
    std::vector<uint8_t> text;
    std::vector<int64_t> ends{0};
    for (size_t i = 0; i < n; ++i) {
        const uint32_t* run = counts.data() + offsets.data()[i];
        const int64_t m = offsets.data()[i + 1] - offsets.data()[i];
        each_sign(run, m, [&](uint8_t sign) { text.push_back(sign); });
        ends.push_back(static_cast<int64_t>(text.size()));
    }
    return nb::make_tuple(to_numpy(std::move(text)), to_numpy(std::move(ends)));
}

// Returns (bad, counts, offsets): bad is -1, or the first string that holds a foreign character, breaks off, or
// gives a length outside [0, 2^32).
nb::tuple from_strings(Array1<uint8_t> text, Offsets ends) {
    const size_t n = ends.shape(0) - 1;
    std::vector<uint32_t> counts;
    std::vector<int64_t> offsets{0};
    for (size_t i = 0; i < n; ++i) {
        const uint8_t* at = text.data() + ends.data()[i];
        if (!each_length(at, text.data() + ends.data()[i + 1], false, [&](uint32_t run) { counts.push_back(run); }))
            return nb::make_tuple(static_cast<int64_t>(i), nb::none(), nb::none());
        offsets.push_back(static_cast<int64_t>(counts.size()));
    }
    return nb::make_tuple(static_cast<int64_t>(-1), to_numpy(std::move(counts)), to_numpy(std::move(offsets)));
}

}  // namespace

void bind_strings(nb::module_& m) {
    m.def("to_strings", &to_strings);
    m.def("from_strings", &from_strings);
}
