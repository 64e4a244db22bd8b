// One mask in the printable form of COCO files: each count less the one two before it, in 5-bit groups, lowest first,
// a sixth bit for "more follows", plus 48 (pycocotools, rleToString).
#pragma once
#include "runs.hpp"

// (N, 2) first and last byte of each text; what leaves the whole of `length` bytes is refused.
inline void check_spans(const Array2<int64_t>& spans, size_t length) {
    for (size_t i = 0; i < spans.shape(0); ++i) {
        const int64_t *span = spans.data() + 2 * i, last = static_cast<int64_t>(length);
        if (span[0] < 0 || span[0] > span[1] || span[1] > last) throw std::invalid_argument("a span leaves its text");
    }
}

// Calls run(length) for each run of a text; false when it holds a foreign character, breaks off, or gives a length
// outside [0, 2^32). Where the text stands in JSON, a backslash is written twice.
template <typename F> bool each_length(const uint8_t* at, const uint8_t* end, bool in_json, F run) {
    int64_t before = 0, last = 0;  // the two runs before
    for (size_t k = 0; at < end; ++k) {
        int64_t x = 0;
        uint32_t group = 0x20;
        for (int shift = 0; group & 0x20; shift += 5) {
            if (at == end || shift > 35) return false;
            group = *at++ - 48u;
            if (group > 63) return false;
            if (group == '\\' - 48u && in_json && (at == end || *at++ != '\\')) return false;
            x += static_cast<int64_t>(group & 0x1f) << shift;
            x -= static_cast<int64_t>(~group & group << 1 & 0x20) << shift;  // the last group carries the sign
        }
        if (k > 2) x += before;
        if (x < 0 || x > UINT32_MAX) return false;
        before = last, last = x;
        run(static_cast<uint32_t>(x));
    }
    return true;
}

// Calls sign(c) for each sign of the text of a mask of m runs.
template <typename F> void each_sign(const uint32_t* run, int64_t m, F sign) {
    for (int64_t k = 0; k < m; ++k) {
        int64_t x = run[k];
        if (k > 2) x -= run[k - 2];
        for (bool more = true; more;) {
            uint8_t group = x & 0x1f;
            x >>= 5;
            more = group & 0x10 ? x != -1 : x != 0;
            sign(static_cast<uint8_t>((more ? group | 0x20 : group) + 48));
        }
    }
}
