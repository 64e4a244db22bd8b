// PNG files of 8-bit grey or colour, as label maps are: their bytes, and the pairs of colours of two of them. What is
// not of that kind, or broken, is left to the general reader, which says what is wrong.
#include <array>
#include <cstdlib>
#include <memory>
#include <mutex>

#include "inflate.hpp"
#include "pair_counter.hpp"
#include "simd.hpp"
#include "threads.hpp"

namespace {

// CRC[k][b]: what byte b, k bytes before the end of eight, adds.
constexpr auto CRC = [] {
    std::array<std::array<uint32_t, 256>, 8> table{};
    for (uint32_t b = 0; b < 256; ++b) {
        uint32_t value = b;
        for (int bit = 0; bit < 8; ++bit) value = value & 1 ? value >> 1 ^ 0xEDB88320u : value >> 1;
        table[0][b] = value;
    }
    for (size_t k = 1; k < 8; ++k)
        for (size_t b = 0; b < 256; ++b) table[k][b] = table[0][table[k - 1][b] & 255] ^ table[k - 1][b] >> 8;
    return table;
}();

uint32_t crc(const uint8_t* at, const uint8_t* end) {
    uint32_t value = ~0u;
    for (; end - at >= 8; at += 8) {
        const auto byte = [&](int k) { return (k < 4 ? value >> 8 * k ^ at[k] : at[k]) & 255u; };
        value = CRC[7][byte(0)] ^ CRC[6][byte(1)] ^ CRC[5][byte(2)] ^ CRC[4][byte(3)] ^ CRC[3][byte(4)] ^
                CRC[2][byte(5)] ^ CRC[1][byte(6)] ^ CRC[0][byte(7)];
    }
    for (; at < end; ++at) value = CRC[0][(value ^ *at) & 255] ^ value >> 8;
    return ~value;
}

uint32_t big_endian(const uint8_t* at) {
    return static_cast<uint32_t>(at[0]) << 24 | static_cast<uint32_t>(at[1]) << 16 | static_cast<uint32_t>(at[2]) << 8 | at[3];
}

struct Packed {
    size_t height = 0, width = 0, channels = 0;
    std::vector<uint8_t> data;  // all IDAT chunks
};

// What can be unpacked within reason: lawful data of at least one pixel. No data are packed denser than 1032 to 1.
Packed checked(Packed png) {
    const auto& data = png.data;
    if (data.size() < 6 || data[0] % 16 != 8 || (data[0] * 256 + data[1]) % 31 || data[1] & 32) throw Broken{};
    if (png.width == 0 || png.height == 0 || (png.width | png.height) >> 24) throw Broken{};
    if (png.height * (png.width * png.channels + 1) / 1040 > data.size())
        throw Broken{};
    return png;
}

Packed unwrap(const uint8_t* at, const uint8_t* end) {
    static constexpr uint8_t HEAD[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    if (end - at < 8 || std::memcmp(at, HEAD, 8) != 0) throw Broken{};
    Packed out;
    for (at += 8; end - at >= 12;) {
        const size_t n = big_endian(at);
        if (static_cast<size_t>(end - at) - 12 < n) throw Broken{};
        const uint8_t *kind = at + 4, *body = at + 8;
        const auto is = [&](const char* name) { return std::memcmp(kind, name, 4) == 0; };
        if (is("IEND")) return checked(std::move(out));
        if (is("tRNS") || is("acTL") || is("fdAT")) throw Broken{};
        if (is("IHDR") || is("IDAT"))
            if (crc(kind, body + n) != big_endian(body + n)) throw Broken{};
        if (is("IHDR")) {
            if (out.channels || n != 13 || body[8] != 8 || (body[9] != 0 && body[9] != 2)) throw Broken{};
            if (body[10] || body[11] || body[12]) throw Broken{};  // interlaced ones too
            out.width = big_endian(body), out.height = big_endian(body + 4), out.channels = body[9] ? 3 : 1;
        } else if (is("IDAT")) {
            out.data.insert(out.data.end(), body, body + n);
        }
        at = body + n + 4;
    }
    throw Broken{};
}

int paeth(int a, int b, int c) {
    const int pa = std::abs(b - c), pb = std::abs(a - c), pc = std::abs(a + b - 2 * c);
    return pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
}

// How many of n bytes from the first on are 0, in steps of 8 until the first that is not.
size_t zeros(const uint8_t* at, size_t n) {
    size_t k = 0;
    for (uint64_t next; k + 8 <= n && (std::memcpy(&next, at + k, 8), next == 0);) k += 8;
    while (k < n && at[k] == 0) ++k;
    return k;
}

// How many of n bytes from the first on are 0 while `above` repeats what stands `step` bytes before.
size_t zeros_where_alike(const uint8_t* at, const uint8_t* above, size_t step, size_t n) {
    size_t k = 0;
    for (uint64_t next, here, before; k + 8 <= n; k += 8) {
        std::memcpy(&next, at + k, 8), std::memcpy(&here, above + k, 8), std::memcpy(&before, above + k - step, 8);
        if (next | (here ^ before)) break;
    }
    while (k < n && at[k] == 0 && above[k] == above[k - step]) ++k;
    return k;
}

// n bytes that repeat the pixel before them; n is a multiple of C.
template <size_t C> void repeat_pixel(uint8_t* to, size_t n) {
    for (size_t done = 0, more; done < n; done += more) {
        more = std::min(done + C, n - done);
        std::memcpy(to + done, to - C, more);
    }
}

// Filter 1: the differences from the pixel on the left.
template <size_t C> void unfilter_left(const uint8_t* raw, uint8_t* row, size_t n) {
    std::memcpy(row, raw, C);
    for (size_t i = C; i < n;) {
        if (const size_t flat = zeros(raw + i, n - i) / C * C) {
            repeat_pixel<C>(row + i, flat);
            i += flat;
        } else {
            for (size_t c = 0; c < C; ++c, ++i) row[i] = static_cast<uint8_t>(raw[i] + row[i - C]);
        }
    }
}

// Filter 4: the differences from that of the pixels on the left, above and in the corner which is nearest to left +
// above - corner. On label maps most are 0, and whole stretches follow from two cases: where the left equals the corner
// that is the one above, and stays so; where the one above equals the corner it is the left, until above it changes.
template <size_t C> void unfilter_nearest(const uint8_t* raw, const uint8_t* above, uint8_t* row, size_t n) {
    uint8_t left[C] = {}, corner[C] = {};
    for (size_t i = 0; i < n;) {
        size_t flat = 0;
        if (std::memcmp(left, corner, C) == 0) {
            flat = zeros(raw + i, n - i) / C * C;
            std::memcpy(row + i, above + i, flat);
        } else if (std::memcmp(above + i, corner, C) == 0) {
            flat = zeros_where_alike(raw + i, above + i, C, n - i) / C * C;
            repeat_pixel<C>(row + i, flat);
        }
        if (!flat) {
            for (size_t c = 0; c < C; ++c)
                row[i + c] = static_cast<uint8_t>(raw[i + c] + paeth(left[c], above[i + c], corner[c]));
            flat = C;
        }
        i += flat;
        std::memcpy(left, row + i - C, C), std::memcpy(corner, above + i - C, C);
    }
}

// One row from what the filter left of it; `above` is the row before.
template <size_t C> void unfilter(int filter, const uint8_t* raw, const uint8_t* above, uint8_t* row, size_t n) {
    if (filter == 0) {
        std::memcpy(row, raw, n);
    } else if (filter == 1) {
        unfilter_left<C>(raw, row, n);
    } else if (filter == 2) {
        for (size_t i = 0; i < n; ++i) row[i] = static_cast<uint8_t>(raw[i] + above[i]);
    } else if (filter == 3) {
        uint8_t left[C] = {};
        for (size_t i = 0; i < n; i += C)
            for (size_t c = 0; c < C; ++c)
                row[i + c] = left[c] = static_cast<uint8_t>(raw[i + c] + (left[c] + above[i + c]) / 2);
    } else if (filter == 4) {
        unfilter_nearest<C>(raw, above, row, n);
    } else {
        throw Broken{};
    }
}

// Bytes that `unpack` needs.
size_t room(const Packed& png) { return png.height * (png.width * png.channels + 1) + Inflate::SLACK; }

// The rows of `png`, one after another; before that, its bytes as they were filtered.
void unpack(const Packed& png, uint8_t* map) {
    const size_t stride = png.width * png.channels;
    Inflate().unpack(png.data.data() + 2, png.data.data() + png.data.size(), map, png.height * (stride + 1));
    std::vector<uint8_t> raw(stride), nothing(stride, 0);
    const uint8_t* above = nothing.data();
    for (size_t r = 0; r < png.height; ++r) {
        const uint8_t* from = map + r * (stride + 1);
        uint8_t* row = map + r * stride;
        const int filter = *from;
        std::memcpy(raw.data(), from + 1, stride);
        png.channels == 3 ? unfilter<3>(filter, raw.data(), above, row, stride)
                          : unfilter<1>(filter, raw.data(), above, row, stride);
        above = row;
    }
}

uint64_t colour(const uint8_t* at) { return at[0] | static_cast<uint64_t>(at[1]) << 8 | static_cast<uint64_t>(at[2]) << 16; }

// Pixels of each pair of colours on two maps, by stretches of pixels that are alike.
PairCounter count_colours(const uint8_t* a, const uint8_t* b, size_t pixels) {
    PairCounter pairs;
    size_t start = 0;
    const auto stretch = [&](size_t stop) {
        pairs.add(colour(a + 3 * start) << 32 | colour(b + 3 * start), static_cast<int64_t>(stop - start));
        start = stop;
    };
    const size_t bytes = 3 * (pixels - 1);  // those that have a byte three further on
    size_t i = 0;
    for (; i + 64 <= bytes; i += 64)
        for (uint64_t ends = differ64(a + i, a + i + 3) | differ64(b + i, b + i + 3); ends; ends &= ends - 1) {
            const size_t stop = (i + static_cast<size_t>(std::countr_zero(ends))) / 3 + 1;
            if (stop > start) stretch(stop);
        }
    for (; i < bytes; ++i)
        if ((a[i] != a[i + 3] || b[i] != b[i + 3]) && i / 3 + 1 > start) stretch(i / 3 + 1);
    stretch(pixels);
    return pairs;
}

// Memory that stays with the process: fresh pages cost more than what is written to them.
class Scratch {
  public:
    Scratch() {
        const std::lock_guard lock(mutex_);
        if (!kept_.empty()) data_.swap(kept_.back()), kept_.pop_back();
    }
    ~Scratch() {
        const std::lock_guard lock(mutex_);
        if (data_.size() <= 4'000'000 && kept_.size() < 8) kept_.push_back(std::move(data_));
    }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;

    uint8_t* room(size_t n) {
        if (data_.size() < n) data_.resize(n);
        return data_.data();
    }
    const uint8_t* data() const { return data_.data(); }

  private:
    static inline std::mutex mutex_;
    static inline std::vector<std::vector<uint8_t>> kept_;
    std::vector<uint8_t> data_;
};

const uint8_t* bytes_of(const nb::bytes& file) { return reinterpret_cast<const uint8_t*>(file.c_str()); }

using File = std::pair<const uint8_t*, const uint8_t*>;

std::vector<File> files_of(const nb::sequence& list) {
    std::vector<File> out;
    for (nb::handle each : list) {
        const auto file = nb::cast<nb::bytes>(each);
        out.emplace_back(bytes_of(file), bytes_of(file) + file.size());
    }
    return out;
}

using ColourPairs = std::vector<std::pair<uint64_t, int64_t>>;

ColourPairs pairs_of(const File& one, const File& other, size_t h, size_t w) {
    Scratch maps[2];
    for (const auto& [map, file] : {std::pair{&maps[0], &one}, std::pair{&maps[1], &other}}) {
        const Packed png = unwrap(file->first, file->second);
        if (png.height != h || png.width != w || png.channels != 3) throw Broken{};
        unpack(png, map->room(room(png)));
    }
    return count_colours(maps[0].data(), maps[1].data(), h * w).sorted();
}

// (starts, a, b, pixels): of each of N pairs of PNG files of (N, 2) sizes, each pair of colours, as R + 256 G + 65536 B,
// that both show at one place, in order. None where one is not an 8-bit RGB file of its size.
nb::object png_pairs(nb::sequence ones, nb::sequence others, Array2<int64_t> sizes, int threads) {
    const auto one = files_of(ones), other = files_of(others);
    const size_t n = one.size();
    if (other.size() != n || sizes.shape(0) != n || sizes.shape(1) != 2)
        throw std::invalid_argument("as many files as sizes");
    std::vector<int64_t> starts{0}, a, b, pixels;
    bool usual = true;
    {
        nb::gil_scoped_release free;
        std::vector<ColourPairs> found(n);
        try {
            in_shares(n, static_cast<double>(n), 1, threads, [&](size_t, size_t begin, size_t end) {
                for (size_t i = begin; i < end; ++i)
                    found[i] = pairs_of(one[i], other[i], static_cast<size_t>(sizes.data()[2 * i]),
                                        static_cast<size_t>(sizes.data()[2 * i + 1]));
            });
        } catch (const Broken&) {
            usual = false;
        }
        for (const ColourPairs& each : found) {
            for (const auto& [key, count] : each) {
                a.push_back(static_cast<int64_t>(key >> 32));
                b.push_back(static_cast<int64_t>(key & UINT32_MAX));
                pixels.push_back(count);
            }
            starts.push_back(static_cast<int64_t>(a.size()));
        }
    }
    if (!usual) return nb::none();
    return nb::make_tuple(to_numpy(std::move(starts)), to_numpy(std::move(a)), to_numpy(std::move(b)),
                          to_numpy(std::move(pixels)));
}

// The bytes of an 8-bit grey (H, W, 1) or RGB (H, W, 3) PNG file; None where it is of another kind or broken.
nb::object read_png(nb::bytes file) {
    Packed png;
    std::unique_ptr<uint8_t[]> map;
    const uint8_t* at = bytes_of(file);
    const size_t n = file.size();
    {
        nb::gil_scoped_release free;
        try {
            png = unwrap(at, at + n);
            map.reset(new uint8_t[room(png)]);
            unpack(png, map.get());
        } catch (const Broken&) {
            map.reset();
        }
    }
    if (!map) return nb::none();
    uint8_t* values = map.release();
    nb::capsule owner(values, [](void* p) noexcept { delete[] static_cast<uint8_t*>(p); });
    return nb::cast(Numpy<uint8_t>(values, {png.height, png.width, png.channels}, owner));
}

}  // namespace

void bind_png(nb::module_& m) {
    m.def("png_pairs", &png_pairs);
    m.def("read_png", &read_png);
}
