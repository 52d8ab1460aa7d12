// SPDX-License-Identifier: Apache-2.0
#include <anodiff/core/parallel.hpp>
#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <string>

namespace parallel_test {

using namespace anodiff;

TEST_CASE("thread_pool counts the caller and refuses absurd sizes", "[parallel]") {
  CHECK(thread_pool{1}.threads() == 1);
  CHECK(thread_pool{3}.threads() == 3);
  CHECK(thread_pool{}.threads() >= 1);
  CHECK_THROWS_AS(thread_pool{-1}, invalid_argument);
  CHECK_THROWS_WITH(thread_pool{1025}, "thread_pool: threads must lie in [0, 1024], got 1025");
}

TEST_CASE("every chunk runs once, whatever the number of threads", "[parallel]") {
  for (const int threads : {1, 2, 3, 8}) {
    thread_pool pool{threads};
    for (const index chunks : {0, 1, 2, 3, 17, 1000}) {
      std::vector<std::atomic<int>> runs(static_cast<std::size_t>(chunks));
      pool.run(chunks, [&](index i) { ++runs[static_cast<std::size_t>(i)]; });
      CHECK(std::all_of(runs.begin(), runs.end(), [](const auto& r) { return r.load() == 1; }));
    }
  }
}

TEST_CASE("a pool serves many short jobs in a row", "[parallel]") {
  thread_pool pool{3};
  std::atomic<index> total{0};
  for (int job = 0; job < 2000; ++job) pool.run(4, [&](index i) { total += i; });
  CHECK(total.load() == 2000 * 6);
}

TEST_CASE("caller and workers fall asleep and are woken", "[parallel]") {
  using std::chrono::microseconds;
  thread_pool pool{3};
  std::vector<int> sums(3);  // plain: each chunk's writes must be visible to the caller after the job
  for (int job = 0; job < 60; ++job) {
    if (job % 3 == 0) std::this_thread::sleep_for(microseconds{300});  // longer than the workers spin
    pool.run(3, [&](index i) {
      // whoever takes the last chunk keeps the others waiting for longer than they spin
      if (i == 2 || job % 2 == 0) std::this_thread::sleep_for(microseconds{300});
      sums[static_cast<std::size_t>(i)] += static_cast<int>(i) + 1;
    });
    REQUIRE(sums == std::vector<int>{job + 1, 2 * (job + 1), 3 * (job + 1)});
  }
}

TEST_CASE("a job does not wait for workers that have not begun", "[parallel]") {
  // so many workers cannot all be given a core between two jobs: waiting for each took about 100 microseconds a worker
  thread_pool pool{64};
  index total = 0;
  const auto start = std::chrono::steady_clock::now();
  for (int job = 0; job < 5000; ++job) {
    std::atomic<index> sum{0};
    pool.run(2, [&](index i) { sum += i + 1; });
    total += sum.load();
  }
  CHECK(total == 5000 * 3);
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds{10});
}

TEST_CASE("a pool is left at any time", "[parallel]") {
  for (int repeat = 0; repeat < 200; ++repeat) {
    thread_pool pool{3};
    std::atomic<int> runs{0};
    for (int job = 0; job < repeat % 3; ++job) pool.run(4, [&](index) { ++runs; });
    CHECK(runs.load() == repeat % 3 * 4);
  }
}

TEST_CASE("the exception of the lowest chunk that threw comes back, and the pool goes on", "[parallel]") {
  for (const int threads : {1, 2, 3}) {
    thread_pool pool{threads};
    for (int repeat = 0; repeat < 20; ++repeat)
      CHECK_THROWS_WITH(pool.run(50,
                                 [](index i) {
                                   if (i % 10 == 7) throw numeric_error(concat("chunk ", i));
                                 }),
                        "chunk 7");
    std::atomic<int> runs{0};
    pool.run(10, [&](index) { ++runs; });
    CHECK(runs.load() == 10);
  }
}

TEST_CASE("a job within a job is done by its caller alone", "[parallel]") {
  thread_pool pool{3}, other{2};
  std::atomic<int> runs{0}, strangers{0};
  pool.run(6, [&](index) {
    const auto me = std::this_thread::get_id();
    const auto count = [&](index) {
      ++runs;
      strangers += std::this_thread::get_id() != me;
    };
    pool.run(5, count);
    other.run(5, count);
  });
  CHECK(runs.load() == 60);
  CHECK(strangers.load() == 0);
}

TEST_CASE("a job within a job of one chunk is done by its caller alone", "[parallel]") {
  // the outer job runs on the caller without the workers; they would be idle, but f may share what is the chunk's own
  thread_pool pool{3}, single{1};
  for (thread_pool* outer : {&pool, &single}) {
    int runs = 0;
    outer->run(1, [&](index) { pool.run(1000, [&](index) { ++runs; }); });
    CHECK(runs == 1000);
  }
  CHECK_THROWS_AS(pool.run(1, [](index) { throw numeric_error("x"); }), numeric_error);
  std::atomic<int> helped{0};  // and after it, even one that threw, jobs are shared again
  const auto me = std::this_thread::get_id();
  for (int repeat = 0; repeat < 1000 && helped.load() == 0; ++repeat)
    pool.run(64, [&](index) {
      helped += std::this_thread::get_id() != me;
      std::this_thread::yield();
    });
  CHECK(helped.load() > 0);
}

TEST_CASE("an exception crosses nested jobs", "[parallel]") {
  thread_pool pool{2};
  CHECK_THROWS_WITH(pool.run(3, [&](index i) { pool.run(3, [&](index j) { check(j != 1 || i != 0, "inner"); }); }),
                    "inner");
}

TEST_CASE("callers on several threads share one pool", "[parallel]") {
  thread_pool pool{2};
  std::vector<std::thread> callers;
  std::atomic<index> total{0};
  for (int c = 0; c < 4; ++c)
    callers.emplace_back([&] {
      for (int job = 0; job < 200; ++job) pool.run(8, [&](index i) { total += i; });
    });
  for (auto& caller : callers) caller.join();
  CHECK(total.load() == 4 * 200 * 28);
}

TEST_CASE("the pieces of parallel_for depend on n and grain alone", "[parallel]") {
  for (const int threads : {1, 3}) {
    thread_pool pool{threads};
    std::array<std::pair<index, index>, 4> pieces{};
    parallel_for(pool, 10, 3, [&](index first, index last) {
      pieces[static_cast<std::size_t>(first / 3)] = {first, last};
    });
    CHECK(pieces == std::array<std::pair<index, index>, 4>{{{0, 3}, {3, 6}, {6, 9}, {9, 10}}});
    CHECK_THROWS_WITH(parallel_for(pool, 10, 0, [](index, index) {}), "parallel_for: grain must be positive, got 0");
  }
}

TEST_CASE("parallel_sum rounds the same for any number of threads", "[parallel]") {
  std::vector<float> values(10007);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = 1.0F / static_cast<float>(i + 1);
  const auto sum = [&](int threads) {
    thread_pool pool{threads};
    return parallel_sum<float>(pool, static_cast<index>(values.size()), 100, [&](index first, index last) {
      float s = 0;
      for (index i = first; i < last; ++i) s += values[static_cast<std::size_t>(i)];
      return s;
    });
  };
  CHECK(sum(1) == Approx(9.7879).epsilon(1e-4));
  CHECK(sum(1) == sum(2));
  CHECK(sum(1) == sum(3));
  thread_pool pool{2};
  CHECK(parallel_sum<double>(pool, 0, 8, [](index, index) { return 1.0; }) == 0);
  CHECK_THROWS_WITH(parallel_sum<double>(pool, 1, -2, [](index, index) { return 1.0; }),
                    "parallel_sum: grain must be positive, got -2");
}

}  // namespace parallel_test
