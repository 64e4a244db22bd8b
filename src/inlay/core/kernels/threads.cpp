#include "threads.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>

#ifdef __linux__
#include <sched.h>
#endif
#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>
#endif
#ifndef _WIN32
#include <pthread.h>
#endif

namespace {

void pause_briefly() {
#if defined(__x86_64__) || defined(_M_X64)
    _mm_pause();
#else
    std::this_thread::yield();
#endif
}

// Whether something comes true soon. To be woken takes some 50 microseconds: as long as that it pays to look out.
template <typename F> bool soon(F there) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::microseconds(50);
    do {
        for (int k = 0; k < 16; ++k) {
            if (there()) return true;
            pause_briefly();
        }
    } while (std::chrono::steady_clock::now() < end);
    return false;
}

// Shares of one call. Whoever has time takes the next one; the caller does too, so that it never waits for a share that
// nobody has begun.
struct Job {
    Job(const std::function<void(size_t)>& work, size_t shares) : work(&work), shares(shares) {}

    const std::function<void(size_t)>* work;  // of the caller, who stays until all shares are done
    const size_t shares;
    std::atomic<size_t> begun{0};
    std::atomic<size_t> done{0};
    std::mutex mutex;
    std::condition_variable all_done;

    void help() {
        for (size_t t; (t = begun.fetch_add(1)) < shares;) {
            (*work)(t);
            if (++done < shares) continue;
            const std::lock_guard lock(mutex);
            all_done.notify_all();
        }
    }
    void wait() {
        const auto there = [&] { return done == shares; };
        if (soon(there)) return;
        std::unique_lock lock(mutex);
        all_done.wait(lock, there);
    }
};

// Threads that stay: to start one takes as long as to count 100 000 pixels.
class Pool {
  public:
    void run(const std::shared_ptr<Job>& job) {
        {
            const std::lock_guard lock(mutex_);
            jobs_.push_back(job);
            waiting_ = jobs_.size();
            start(job->shares - 1);
        }
        job->shares > 2 ? wake_.notify_all() : wake_.notify_one();
        job->help();
        {
            const std::lock_guard lock(mutex_);
            std::erase(jobs_, job);
            waiting_ = jobs_.size();
        }
        job->wait();
    }

  private:
    // So that `wanted` threads have nothing to do, if there are cores for as many.
    void start(size_t wanted) {
        try {
            for (; idle_ + starting_ < wanted && threads_ + 1 < cores(); ++threads_, ++starting_)
                std::thread([this] { serve(); }).detach();
        } catch (const std::system_error&) {  // no more are to be had: those there are do it
        }
    }
    void serve() {
        std::unique_lock lock(mutex_);
        for (--starting_;;) {
            ++idle_;
            if (jobs_.empty()) {
                lock.unlock();
                soon([&] { return waiting_ > 0; });
                lock.lock();
            }
            wake_.wait(lock, [&] { return !jobs_.empty(); });
            --idle_;
            const std::shared_ptr<Job> job = jobs_.front();
            if (job->begun >= job->shares) {
                jobs_.pop_front();
                waiting_ = jobs_.size();
                continue;
            }
            lock.unlock();
            job->help();
            lock.lock();
        }
    }

    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<std::shared_ptr<Job>> jobs_;
    std::atomic<size_t> waiting_{0};  // their number, to be looked at without the lock
    size_t idle_ = 0, starting_ = 0, threads_ = 0;
};

// Never destroyed, since its threads use it until the process ends; a forked process, which has none of them, begins
// with a new one.
Pool* pool = new Pool;

#ifndef _WIN32
[[maybe_unused]] const int at_fork = pthread_atfork(nullptr, nullptr, [] { pool = new Pool; });
#endif

}  // namespace

size_t cores() {
#ifdef __linux__
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) return std::max<size_t>(1, static_cast<size_t>(CPU_COUNT(&set)));
#endif
    return std::max(1u, std::thread::hardware_concurrency());
}

void run_shares(size_t shares, const std::function<void(size_t)>& work) {
    pool->run(std::make_shared<Job>(work, shares));
}
