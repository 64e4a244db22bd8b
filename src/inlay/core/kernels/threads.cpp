#include "threads.hpp"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>

#ifdef __linux__
#include <sched.h>
#endif
#ifndef _WIN32
#include <pthread.h>
#endif

namespace {

// Shares of one call. Whoever has time takes the next one; the caller does too, so that it never waits for a share that
// nobody has begun.
struct Job {
    Job(const std::function<void(size_t)>& work, size_t shares) : work(&work), shares(shares) {}

    const std::function<void(size_t)>* work;  // of the caller, who stays until all shares are done
    const size_t shares;
    std::atomic<size_t> begun{0};
    size_t done = 0;
    std::mutex mutex;
    std::condition_variable all_done;

    void help() {
        for (size_t t; (t = begun.fetch_add(1)) < shares;) {
            (*work)(t);
            const std::lock_guard lock(mutex);
            if (++done == shares) all_done.notify_all();
        }
    }
    void wait() {
        std::unique_lock lock(mutex);
        all_done.wait(lock, [&] { return done == shares; });
    }
};

// Threads that stay: to start one takes as long as to count 100 000 pixels.
class Pool {
  public:
    void run(const std::shared_ptr<Job>& job) {
        {
            const std::lock_guard lock(mutex_);
            jobs_.push_back(job);
            start(job->shares - 1);
        }
        job->shares > 2 ? wake_.notify_all() : wake_.notify_one();
        job->help();
        {
            const std::lock_guard lock(mutex_);
            std::erase(jobs_, job);
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
            wake_.wait(lock, [&] { return !jobs_.empty(); });
            --idle_;
            const std::shared_ptr<Job> job = jobs_.front();
            if (job->begun >= job->shares) {
                jobs_.pop_front();
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
