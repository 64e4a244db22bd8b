// The printable form of run lengths in COCO files: each count less the one two before it, in 5-bit groups, lowest
// first, a sixth bit for "more follows", plus 48 (pycocotools, rleToString).
#include "runs.hpp"

namespace {

nb::tuple to_strings(Counts counts, Offsets offsets) {
    const size_t n = offsets.shape(0) - 1;
    std::vector<uint8_t> text;
    std::vector<int64_t> ends{0};
    for (size_t i = 0; i < n; ++i) {
        const uint32_t* run = counts.data() + offsets.data()[i];
        const int64_t m = offsets.data()[i + 1] - offsets.data()[i];
        for (int64_t k = 0; k < m; ++k) {
            int64_t x = run[k];
            if (k > 2) x -= run[k - 2];
            for (bool more = true; more;) {
                uint8_t group = x & 0x1f;
                x >>= 5;
                more = group & 0x10 ? x != -1 : x != 0;
                text.push_back(static_cast<uint8_t>((more ? group | 0x20 : group) + 48));
            }
        }
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
        const size_t first = counts.size();
        for (int64_t p = ends.data()[i]; p < ends.data()[i + 1];) {
            int64_t x = 0;
            int shift = 0;
            bool more = true;
            while (more) {
                const int group = p < ends.data()[i + 1] ? text.data()[p++] - 48 : -1;
                if (group < 0 || group > 63 || shift > 35) return nb::make_tuple(static_cast<int64_t>(i), nb::none(), nb::none());
                x |= static_cast<int64_t>(group & 0x1f) << shift;
                more = group & 0x20;
                shift += 5;
                if (!more && (group & 0x10)) x |= -1ll << shift;
            }
            if (counts.size() - first > 2) x += counts[counts.size() - 2];
            if (x < 0 || x > UINT32_MAX) return nb::make_tuple(static_cast<int64_t>(i), nb::none(), nb::none());
            counts.push_back(static_cast<uint32_t>(x));
        }
        offsets.push_back(static_cast<int64_t>(counts.size()));
    }
    return nb::make_tuple(static_cast<int64_t>(-1), to_numpy(std::move(counts)), to_numpy(std::move(offsets)));
}

}  // namespace

void bind_strings(nb::module_& m) {
    m.def("to_strings", &to_strings);
    m.def("from_strings", &from_strings);
}
