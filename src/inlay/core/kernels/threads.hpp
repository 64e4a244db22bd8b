// Work on N masks shared among threads, where there is enough of it to pay for starting them.
#pragma once
#include <exception>
#include <functional>

#include "runs.hpp"

size_t cores();  // that this process may use
// Calls work(t) for each share 0 .. shares - 1, several at once. It must not throw.
void run_shares(size_t shares, const std::function<void(size_t)>& work);

// Calls work(t, begin, end) for at most `threads` (0: as many as there are cores) consecutive shares of 0 .. n - 1,
// each worth at least `grain` of the whole `cost`, in whatever unit. What a share throws is thrown on.
template <typename F> void in_shares(size_t n, double cost, double grain, int threads, F work) {
    size_t shares = threads > 0 ? static_cast<size_t>(threads) : cores();
    shares = std::min({shares, n, static_cast<size_t>(std::max(cost / grain, 1.0))});
    if (shares <= 1) {
        work(size_t{0}, size_t{0}, n);
        return;
    }
    std::vector<std::exception_ptr> errors(shares);
    run_shares(shares, [&](size_t t) {
        try {
            work(t, n * t / shares, n * (t + 1) / shares);
        } catch (...) {
            errors[t] = std::current_exception();
        }
    });
    for (const std::exception_ptr& error : errors)
        if (error) std::rethrow_exception(error);
}

// The masks that make(begin, end, builder) appends for each share of 0 .. n - 1, one share after another. The caller
// has let go of the interpreter.
template <typename F> RunBuilder build_in_shares(size_t n, double cost, double grain, int threads, F make) {
    std::vector<RunBuilder> built(std::max<size_t>(n, 1));
    in_shares(n, cost, grain, threads, [&](size_t t, size_t begin, size_t end) { make(begin, end, built[t]); });
    RunBuilder& all = built[0];
    for (size_t t = 1; t < built.size() && built[t].offsets.size() > 1; ++t) {
        const int64_t shift = all.offsets.back();
        all.counts.insert(all.counts.end(), built[t].counts.begin(), built[t].counts.end());
        for (size_t k = 1; k < built[t].offsets.size(); ++k) all.offsets.push_back(built[t].offsets[k] + shift);
    }
    return std::move(all);
}
