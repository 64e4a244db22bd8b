// Deflated data (RFC 1951) whose length is known, unpacked at once. What is not lawful is `Broken`.
#pragma once
#include <cstdint>
#include <cstring>
#include <vector>

struct Broken {};

class BitReader {
  public:
    BitReader(const uint8_t* begin, const uint8_t* end) : at_(begin), end_(end) {}

    // At least 56 bits at hand; zeros behind the end.
    void fill() {
        if (end_ - at_ >= 8) {
            uint64_t next = 0;
            for (int k = 0; k < 8; ++k) next |= static_cast<uint64_t>(at_[k]) << 8 * k;  // one load
            bits_ |= next << count_;
            at_ += (63 - count_) >> 3;
            count_ |= 56;
            return;
        }
        for (; count_ <= 56; count_ += 8) {
            if (at_ < end_)
                bits_ |= static_cast<uint64_t>(*at_++) << count_;
            else if (++beyond_ > 16)
                throw Broken{};
        }
    }
    uint32_t peek(int n) const { return static_cast<uint32_t>(bits_ & ((uint64_t{1} << n) - 1)); }
    void drop(int n) { bits_ >>= n, count_ -= n; }
    uint32_t take(int n) {
        const uint32_t value = peek(n);
        drop(n);
        return value;
    }
    // Copies whole bytes that start at the next byte.
    void copy(uint8_t* to, size_t n) {
        drop(count_ & 7);
        for (; n && count_; --n) *to++ = static_cast<uint8_t>(take(8));
        if (beyond_ || static_cast<size_t>(end_ - at_) < n) throw Broken{};
        if (n) bits_ = 0;  // bits of bytes that were looked at and not counted
        std::memcpy(to, at_, n);
        at_ += n;
    }

  private:
    const uint8_t *at_, *end_;
    uint64_t bits_ = 0;
    int count_ = 0, beyond_ = 0;
};

// A prefix code as one table: what the next bits begin with.
class PrefixCode {
  public:
    void build(const uint8_t* lengths, size_t n) {
        uint32_t number[16] = {}, next[16] = {};
        for (size_t k = 0; k < n; ++k) ++number[lengths[k]];
        number[0] = 0;
        width_ = 1;
        int64_t left = 1;
        for (int length = 1; length <= 15; ++length) {
            left = 2 * left - number[length];
            if (left < 0) throw Broken{};  // more codes than there are
            if (number[length]) width_ = length;
            if (length < 15) next[length + 1] = (next[length] + number[length]) << 1;
        }
        table_.assign(size_t{1} << width_, 0);
        for (size_t symbol = 0; symbol < n; ++symbol) {
            const int length = lengths[symbol];
            if (!length) continue;
            uint32_t code = next[length]++, turned = 0;
            for (int k = 0; k < length; ++k, code >>= 1) turned = turned << 1 | (code & 1);
            for (size_t at = turned; at < table_.size(); at += size_t{1} << length)
                table_[at] = static_cast<uint16_t>(symbol << 4 | static_cast<size_t>(length));
        }
    }
    uint32_t read(BitReader& bits) const {
        const uint32_t entry = table_[bits.peek(width_)];
        if (!entry) throw Broken{};
        bits.drop(static_cast<int>(entry & 15));
        return entry >> 4;
    }

  private:
    std::vector<uint16_t> table_;  // symbol << 4 | length; 0 for no code
    int width_ = 1;
};

class Inflate {
  public:
    static constexpr size_t SLACK = 32;  // bytes behind the output that may be written

    // Fills out[0 .. size); data that give more or less are `Broken`.
    void unpack(const uint8_t* begin, const uint8_t* end, uint8_t* out, size_t size) {
        BitReader bits(begin, end);
        start_ = at_ = out;
        stop_ = out + size;
        for (bool last = false; !last;) {
            bits.fill();
            last = bits.take(1);
            const uint32_t kind = bits.take(2);
            if (kind == 0)
                stored(bits);
            else if (kind == 1)
                fixed_codes(), block(bits);
            else if (kind == 2)
                read_codes(bits), block(bits);
            else
                throw Broken{};
        }
        if (at_ != stop_) throw Broken{};
    }

  private:
    void stored(BitReader& bits) {
        uint8_t head[4];
        bits.copy(head, 4);
        const size_t n = head[0] | static_cast<size_t>(head[1]) << 8;
        if ((head[0] ^ head[2]) != 255 || (head[1] ^ head[3]) != 255 || n > static_cast<size_t>(stop_ - at_))
            throw Broken{};
        bits.copy(at_, n);
        at_ += n;
    }
    void fixed_codes() {
        uint8_t lengths[288], far[30];
        for (int k = 0; k < 288; ++k) lengths[k] = k < 144 ? 8 : k < 256 ? 9 : k < 280 ? 7 : 8;
        std::memset(far, 5, sizeof far);
        symbols_.build(lengths, 288);
        distances_.build(far, 30);
    }
    void read_codes(BitReader& bits) {
        static constexpr uint8_t ORDER[19] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
        bits.fill();
        const size_t n = bits.take(5) + 257, far = bits.take(5) + 1, short_ones = bits.take(4) + 4;
        if (n > 286 || far > 30) throw Broken{};
        uint8_t lengths[286 + 30 + 138] = {}, of_lengths[19] = {};
        for (size_t k = 0; k < short_ones; ++k) {
            bits.fill();
            of_lengths[ORDER[k]] = static_cast<uint8_t>(bits.take(3));
        }
        distances_.build(of_lengths, 19);
        for (size_t k = 0; k < n + far;) {
            bits.fill();
            const uint32_t symbol = distances_.read(bits);
            if (symbol < 16) {
                lengths[k++] = static_cast<uint8_t>(symbol);
                continue;
            }
            if (symbol == 16 && k == 0) throw Broken{};
            const uint8_t value = symbol == 16 ? lengths[k - 1] : 0;
            const size_t times = symbol == 16 ? 3 + bits.take(2) : symbol == 17 ? 3 + bits.take(3) : 11 + bits.take(7);
            std::memset(lengths + k, value, times);
            k += times;
            if (k > n + far) throw Broken{};
        }
        symbols_.build(lengths, n);
        distances_.build(lengths + n, far);
    }
    void block(BitReader& bits) {
        static constexpr uint16_t LENGTH[29] = {3,  4,  5,  6,  7,  8,  9,  10, 11,  13,  15,  17,  19,  23, 27,
                                                31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258};
        static constexpr uint8_t LENGTH_BITS[29] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,
                                                    2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
        static constexpr uint16_t FAR[30] = {1,   2,   3,   4,   5,   7,    9,    13,   17,   25,   33,   49,   65,    97,    129,
                                             193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577};
        for (;;) {
            bits.fill();
            uint32_t symbol = symbols_.read(bits);
            if (symbol < 256) {
                if (at_ == stop_) throw Broken{};
                *at_++ = static_cast<uint8_t>(symbol);
                continue;
            }
            if (symbol == 256) return;
            if ((symbol -= 257) > 28) throw Broken{};
            const size_t n = LENGTH[symbol] + bits.take(LENGTH_BITS[symbol]);
            const uint32_t far = distances_.read(bits);
            const size_t back = FAR[far] + bits.take(far < 4 ? 0 : static_cast<int>(far / 2 - 1));
            if (n > static_cast<size_t>(stop_ - at_) || back > static_cast<size_t>(at_ - start_)) throw Broken{};
            repeat(n, back);
        }
    }
    // Appends n bytes that repeat what stands `back` bytes before; writes up to 31 more.
    void repeat(size_t n, size_t back) {
        uint8_t* const end = at_ + n;
        uint8_t* to = at_;
        at_ = end;
        if (back == 1) return void(std::memset(to, to[-1], n));
        size_t far = back;
        for (; far < 16; far += back)  // the pattern several times, until a whole load lies behind it
            for (size_t k = 0; k < back; ++k, ++to) {
                if (to == end) return;
                *to = to[-static_cast<ptrdiff_t>(back)];
            }
        for (; to < end; to += 16) {
            uint8_t part[16];
            std::memcpy(part, to - far, 16);
            std::memcpy(to, part, 16);
        }
    }

    uint8_t *start_ = nullptr, *at_ = nullptr, *stop_ = nullptr;
    PrefixCode symbols_, distances_;
};
