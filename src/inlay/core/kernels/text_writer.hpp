// Text under construction: numbers as JSON has them.
#pragma once
#include <array>
#include <charconv>
#include <cmath>
#include <string_view>

#include "runs.hpp"

class TextWriter {
  public:
    size_t size() const { return size_; }
    void resize(size_t size) { size_ = size; }  // never more than there is
    Roomy<uint8_t> take() {
        text_.resize(size_);
        return std::move(text_);
    }

    void add(char sign) { *room(1) = static_cast<uint8_t>(sign), ++size_; }
    void add(std::string_view text) {
        if (!text.empty()) std::memcpy(room(text.size()), text.data(), text.size());
        size_ += text.size();
    }
    void whole(int64_t number) {
        uint8_t* at = room(24);
        if (number >= 0 && number < 1000) {
            const auto& digits = SMALL[static_cast<size_t>(number)];
            std::memcpy(at, digits.data(), 4);
            size_ += digits[3];
        } else {
            auto* begin = reinterpret_cast<char*>(at);
            size_ += static_cast<size_t>(std::to_chars(begin, begin + 24, number).ptr - begin);
        }
    }
    // The shortest text that reads back as the number, with at least one place behind the point; null where there is
    // none.
    void real(double number) {
        if (!std::isfinite(number)) return add(std::string_view("null"));
        auto* begin = reinterpret_cast<char*>(room(40));
        const double size = std::abs(number);
        if (size == 0 || (size >= 1e-5 && size < 1e16)) {
            char* end = std::to_chars(begin, begin + 40, number, std::chars_format::fixed).ptr;
            size_ += static_cast<size_t>(end - begin);
            if (std::string_view(begin, end).find('.') == std::string_view::npos) add(std::string_view(".0"));
            return;
        }
        char* end = std::to_chars(begin, begin + 40, number, std::chars_format::scientific).ptr;
        size_ += std::string_view(begin, end).find('e') + 1;
        char* power = reinterpret_cast<char*>(text_.data()) + size_;
        int exponent = 0;
        std::from_chars(power + (*power == '+'), end, exponent);
        whole(exponent);
    }
    // What element(k) adds for k from begin to end, between brackets and with commas between.
    template <typename F> void list(int64_t begin, int64_t end, F element) {
        add('[');
        for (int64_t k = begin; k < end; ++k) {
            if (k > begin) add(',');
            element(k);
        }
        add(']');
    }

  private:
    // The digits of 0 .. 999, and how many they are.
    static constexpr auto SMALL = [] {
        std::array<std::array<char, 4>, 1000> table{};
        for (int n = 0; n < 1000; ++n) {
            const char digits[3] = {static_cast<char>('0' + n / 100), static_cast<char>('0' + n / 10 % 10),
                                    static_cast<char>('0' + n % 10)};
            const int zeros = n < 10 ? 2 : n < 100 ? 1 : 0;
            for (int k = zeros; k < 3; ++k) table[static_cast<size_t>(n)][static_cast<size_t>(k - zeros)] = digits[k];
            table[static_cast<size_t>(n)][3] = static_cast<char>(3 - zeros);
        }
        return table;
    }();

    // Where the next `n` signs go.
    uint8_t* room(size_t n) {
        if (size_ + n > text_.size()) text_.resize(std::max(2 * text_.size(), size_ + n + 4096));
        return text_.data() + size_;
    }

    Roomy<uint8_t> text_;
    size_t size_ = 0;
};
