// Comparisons of many elements at once. SSE2 is part of every x86-64, so no dispatch is needed but where AVX2 pays;
// elsewhere the plain loops are left to the compiler.
#pragma once
#include <bit>
#include <cstdint>
#include <cstring>

#if defined(__SSE2__) || defined(_M_X64)
#define INLAY_SSE2 1
#include <immintrin.h>
#endif

// Bit k is set where a[k] != b[k], for 16 ids.
inline uint32_t differ16(const int32_t* a, const int32_t* b) {
#ifdef INLAY_SSE2
    const auto same = [&](int k) {
        return _mm_cmpeq_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(a + k)),
                               _mm_loadu_si128(reinterpret_cast<const __m128i*>(b + k)));
    };
    const __m128i low = _mm_packs_epi32(same(0), same(4)), high = _mm_packs_epi32(same(8), same(12));
    return ~static_cast<uint32_t>(_mm_movemask_epi8(_mm_packs_epi16(low, high))) & 0xffffu;
#else
    uint32_t any = 0, bits = 0;
    for (int k = 0; k < 16; ++k) any |= static_cast<uint32_t>(a[k] ^ b[k]);
    if (any)
        for (int k = 0; k < 16; ++k) bits |= static_cast<uint32_t>(a[k] != b[k]) << k;
    return bits;
#endif
}

// Bit k is set where a[k] != b[k], for 64 bytes.
inline uint64_t differ64(const uint8_t* a, const uint8_t* b) {
#ifdef INLAY_SSE2
    const auto same = [&](int k) -> uint64_t {
        return static_cast<uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(
            _mm_loadu_si128(reinterpret_cast<const __m128i*>(a + k)),
            _mm_loadu_si128(reinterpret_cast<const __m128i*>(b + k)))));
    };
    return ~(same(0) | same(16) << 16 | same(32) << 32 | same(48) << 48);
#else
    uint64_t bits = 0;
    if (std::memcmp(a, b, 64) == 0) return 0;
    for (int k = 0; k < 64; ++k) bits |= static_cast<uint64_t>(a[k] != b[k]) << k;
    return bits;
#endif
}

// Where pairs of bytes end: bit k is set where a[k] != a[k + step] or b[k] != b[k + step], for 64 of them. A loop that is
// a template of one of these structs is compiled for each, and `WIDE` called where `has_wide()`.
struct Narrow {
    static uint64_t ends(const uint8_t* a, const uint8_t* b, size_t step) {
#ifdef INLAY_SSE2
        const auto same = [&](const uint8_t* at) {
            return _mm_cmpeq_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at)),
                                  _mm_loadu_si128(reinterpret_cast<const __m128i*>(at + step)));
        };
        const auto both = [&](int k) -> uint64_t {
            return static_cast<uint32_t>(_mm_movemask_epi8(_mm_and_si128(same(a + k), same(b + k))));
        };
        return ~(both(0) | both(16) << 16 | both(32) << 32 | both(48) << 48);
#else
        return differ64(a, a + step) | differ64(b, b + step);
#endif
    }
};

#if defined(INLAY_SSE2) && defined(__GNUC__)
#define INLAY_WIDE __attribute__((target("avx2,bmi,popcnt")))
struct Wide {
    INLAY_WIDE static uint64_t ends(const uint8_t* a, const uint8_t* b, size_t step) {
        return ~(same(a, b, step) | same(a + 32, b + 32, step) << 32);
    }

  private:
    INLAY_WIDE static uint64_t same(const uint8_t* a, const uint8_t* b, size_t step) {
        const auto *one = reinterpret_cast<const __m256i*>(a), *one_on = reinterpret_cast<const __m256i*>(a + step);
        const auto *other = reinterpret_cast<const __m256i*>(b), *other_on = reinterpret_cast<const __m256i*>(b + step);
        const __m256i first = _mm256_cmpeq_epi8(_mm256_loadu_si256(one), _mm256_loadu_si256(one_on));
        const __m256i second = _mm256_cmpeq_epi8(_mm256_loadu_si256(other), _mm256_loadu_si256(other_on));
        return static_cast<uint32_t>(_mm256_movemask_epi8(_mm256_and_si256(first, second)));
    }
};
inline bool has_wide() {
    static const bool has = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
                            __builtin_cpu_supports("popcnt");
    return has;
}
#else
#define INLAY_WIDE
using Wide = Narrow;
inline bool has_wide() { return false; }
#endif

// Whether 64 bytes are all the same.
inline bool uniform64(const uint8_t* a) {
#ifdef INLAY_SSE2
    const __m128i value = _mm_set1_epi8(static_cast<char>(*a));
    const auto same = [&](int k) {
        return _mm_cmpeq_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(a + k)), value);
    };
    return _mm_movemask_epi8(_mm_and_si128(_mm_and_si128(same(0), same(16)), _mm_and_si128(same(32), same(48)))) == 0xffff;
#else
    return std::memcmp(a, a + 1, 63) == 0;
#endif
}

// Calls hit(k) for each k in 0 .. n - 2 where a[k] != a[k + 1], in order.
template <typename F> inline void each_change(const uint8_t* a, size_t n, F hit) {
    size_t i = 0;
    for (; i + 65 <= n; i += 64) {
        if (uniform64(a + i)) {  // most blocks: half the loads of a comparison with the neighbours
            if (a[i + 63] != a[i + 64]) hit(i + 63);
            continue;
        }
        for (uint64_t bits = differ64(a + i, a + i + 1); bits; bits &= bits - 1)
            hit(i + static_cast<size_t>(std::countr_zero(bits)));
    }
    for (; i + 1 < n; ++i)
        if (a[i] != a[i + 1]) hit(i);
}

// Calls hit(k) for each k in 0 .. n - 1 where a[k] != b[k], in order.
template <typename F> inline void each_difference(const int32_t* a, const int32_t* b, size_t n, F hit) {
    size_t i = 0;
    for (; i + 16 <= n; i += 16)
        for (uint32_t bits = differ16(a + i, b + i); bits; bits &= bits - 1)
            hit(i + static_cast<size_t>(std::countr_zero(bits)));
    for (; i < n; ++i)
        if (a[i] != b[i]) hit(i);
}
template <typename F> inline void each_difference(const uint8_t* a, const uint8_t* b, size_t n, F hit) {
    size_t i = 0;
    for (; i + 64 <= n; i += 64)
        for (uint64_t bits = differ64(a + i, b + i); bits; bits &= bits - 1)
            hit(i + static_cast<size_t>(std::countr_zero(bits)));
    for (; i < n; ++i)
        if (a[i] != b[i]) hit(i);
}
