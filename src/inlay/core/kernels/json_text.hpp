// A strict reader of JSON text that goes through it once. What it does not expect is `Odd`: the caller then leaves the
// text to the general reader, which says what is wrong and where.
#pragma once
#include <charconv>
#include <string_view>

#include "runs.hpp"

struct Odd {};

class JsonText {
  public:
    JsonText(const uint8_t* begin, const uint8_t* end)
        : at_(reinterpret_cast<const char*>(begin)), end_(reinterpret_cast<const char*>(end)) {}

    const char* place() const { return at_; }
    void space() {
        while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) ++at_;
    }
    bool done() {
        space();
        return at_ == end_;
    }
    // Whether the next sign is `c`, which is then behind us.
    bool take(char c) {
        space();
        if (at_ == end_ || *at_ != c) return false;
        ++at_;
        return true;
    }
    void expect(char c) {
        if (!take(c)) throw Odd{};
    }
    bool next_is(char c) {
        space();
        return at_ != end_ && *at_ == c;
    }
    // What stands between the quotes, as written.
    std::string_view text() {
        expect('"');
        const char* begin = at_;
        for (;;) {
            const auto* quote = static_cast<const char*>(std::memchr(at_, '"', static_cast<size_t>(end_ - at_)));
            if (!quote) throw Odd{};
            size_t slashes = 0;
            while (quote - slashes > begin && quote[-1 - static_cast<ptrdiff_t>(slashes)] == '\\') ++slashes;
            at_ = quote + 1;
            if (slashes % 2 == 0) return {begin, static_cast<size_t>(quote - begin)};
        }
    }
    // Calls member(key) for each member of an object; it must go past the value.
    template <typename F> void object(F member) {
        expect('{');
        if (take('}')) return;
        do {
            const std::string_view key = text();
            expect(':');
            member(key);
        } while (take(','));
        expect('}');
    }
    // Calls element() for each element of a list; it must go past it.
    template <typename F> void list(F element) {
        expect('[');
        if (take(']')) return;
        do element();
        while (take(','));
        expect(']');
    }
    double number() {
        space();
        const char* begin = at_;
        const bool negative = at_ != end_ && *at_ == '-';
        at_ += negative;
        uint64_t digits = 0;
        int count = 0, behind = 0;
        count += figures(digits);
        if (count == 0 || (count > 1 && begin[negative] == '0')) throw Odd{};
        if (at_ != end_ && *at_ == '.') {
            ++at_;
            behind = figures(digits);
            if (behind == 0) throw Odd{};
            count += behind;
        }
        const bool scaled = at_ != end_ && (*at_ == 'e' || *at_ == 'E');
        // Exact: a division of two numbers that are whole doubles rounds once.
        if (!scaled && count <= 18 && digits < (uint64_t{1} << 53) && behind <= 22) {
            const double value = static_cast<double>(digits) / POWERS[behind];
            return negative ? -value : value;
        }
        if (scaled) {
            ++at_;
            if (at_ != end_ && (*at_ == '+' || *at_ == '-')) ++at_;
            uint64_t ignored = 0;
            if (figures(ignored) == 0) throw Odd{};
        }
        double value = 0;
        const auto [stop, error] = std::from_chars(begin, at_, value);
        if (error != std::errc{} || stop != at_) throw Odd{};
        return value;
    }
    int64_t whole() {
        space();
        const bool negative = at_ != end_ && *at_ == '-';
        at_ += negative;
        uint64_t digits = 0;
        const char* begin = at_;
        const int count = figures(digits);
        if (count == 0 || count > 18 || (count > 1 && *begin == '0')) throw Odd{};
        if (at_ != end_ && (*at_ == '.' || *at_ == 'e' || *at_ == 'E')) throw Odd{};
        return negative ? -static_cast<int64_t>(digits) : static_cast<int64_t>(digits);
    }
    bool null() { return word("null"); }
    void skip(int depth = 0) {
        space();
        if (at_ == end_ || depth > 64) throw Odd{};
        if (*at_ == '"')
            text();
        else if (*at_ == '{')
            object([&](std::string_view) { skip(depth + 1); });
        else if (*at_ == '[')
            list([&] { skip(depth + 1); });
        else if (!word("null") && !word("true") && !word("false"))
            number();
    }

  private:
    bool word(std::string_view wanted) {
        space();
        if (static_cast<size_t>(end_ - at_) < wanted.size() || std::memcmp(at_, wanted.data(), wanted.size()) != 0)
            return false;
        at_ += wanted.size();
        return true;
    }
    int figures(uint64_t& digits) {
        const char* begin = at_;
        for (; at_ != end_ && *at_ >= '0' && *at_ <= '9'; ++at_)
            digits = digits * 10 + static_cast<uint64_t>(*at_ - '0');
        return static_cast<int>(std::min<ptrdiff_t>(at_ - begin, 1 << 20));
    }
    static constexpr double POWERS[23] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                          1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    const char *at_, *end_;
};
