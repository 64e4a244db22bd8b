// Connected parts: the runs of a mask cut at the column ends, joined where they touch.
#pragma once
#include <numeric>

#include "runs.hpp"

// A vertical stretch of foreground inside one column.
struct Piece {
    uint32_t column, top, bottom;
};

// The runs of one mask cut at the column ends, in order.
inline void cut_at_columns(const uint32_t* counts, int64_t begin, int64_t end, uint64_t h, std::vector<Piece>& pieces) {
    pieces.clear();
    each_run(counts, begin, end, [&](uint64_t start, uint64_t stop) {
        for (uint64_t column = start / h; start < stop; ++column) {
            const uint64_t last = std::min(stop, (column + 1) * h);
            pieces.push_back({static_cast<uint32_t>(column), static_cast<uint32_t>(start - column * h),
                              static_cast<uint32_t>(last - column * h)});
            start = last;
        }
    });
}

inline uint32_t root_of(std::vector<uint32_t>& parent, uint32_t i) {
    while (parent[i] != i) i = parent[i] = parent[parent[i]];
    return i;
}

// Joins pieces of neighbouring columns that touch; `reach` is 1 where diagonal pixels count as touching, else 0.
inline void join_pieces(const std::vector<Piece>& pieces, uint32_t reach, std::vector<uint32_t>& parent) {
    parent.resize(pieces.size());
    std::iota(parent.begin(), parent.end(), 0u);
    size_t left = 0;
    for (size_t i = 0; i < pieces.size(); ++i) {
        const Piece& p = pieces[i];
        while (pieces[left].column + 1 < p.column) ++left;
        while (left < i && pieces[left].column + 1 == p.column && pieces[left].bottom + reach <= p.top) ++left;
        for (size_t j = left; j < i && pieces[j].column + 1 == p.column && pieces[j].top < p.bottom + reach; ++j) {
            const uint32_t one = root_of(parent, static_cast<uint32_t>(i));
            const uint32_t other = root_of(parent, static_cast<uint32_t>(j));
            parent[std::max(one, other)] = std::min(one, other);  // the first piece stays the root
        }
    }
}

// The part of each piece, counted in the order of their first pieces; returns how many there are.
inline uint32_t number_parts(std::vector<uint32_t>& parent, std::vector<uint32_t>& part) {
    uint32_t count = 0;
    part.resize(parent.size());
    for (uint32_t k = 0; k < parent.size(); ++k) {
        const uint32_t root = root_of(parent, k);
        part[k] = root == k ? count++ : part[root];
    }
    return count;
}
