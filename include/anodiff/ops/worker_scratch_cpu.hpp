// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/core/parallel.hpp>
#include <atomic>

namespace anodiff::ops::cpu {

/// Calls f(job, memory) once for each job in [0, jobs), on any thread: a thread has `each` elements of scratch to
/// itself, of pool.threads() such pieces. What a job computes must not depend on what it finds there.
template <class T, class F>
void run_with_scratch(thread_pool& pool, index jobs, T* scratch, index each, F&& f) {
  std::atomic<index> next{0};
  pool.run(std::min<index>(pool.threads(), jobs), [&](index worker) {
    for (index job; (job = next.fetch_add(1, std::memory_order_relaxed)) < jobs;) f(job, scratch + worker * each);
  });
}

}  // namespace anodiff::ops::cpu
