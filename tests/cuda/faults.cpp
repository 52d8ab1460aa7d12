// SPDX-License-Identifier: Apache-2.0
// Tests the checker that tests the kernels: eighteen faults, each planted in a small kernel, must be seen, and the same
// kernel without its fault must pass. Built plain, with the address and undefined-behaviour sanitizers, and with the
// thread sanitizer, since no single way sees all of them. Each run is a process of its own.

#include <sys/wait.h>
#include <unistd.h>

#include <fcntl.h>
#include <anodiff/core/device.cuh>
#include <cstdio>
#include <cstdlib>

#ifdef SUPPORT_CUDA_TSAN
/// Threads that are left where a fault was found are no leak of ours.
extern "C" const char* __tsan_default_options() { return "report_thread_leaks=0"; }
#endif

namespace {

using namespace anodiff;
using device::shared, device::sync_block;

constexpr unsigned threads = 64;

template <bool Planted>
__global__ void barrier_after_load(const float* in, float* out) {
  auto& tile = shared<float[threads]>();
  tile[threadIdx.x] = in[threadIdx.x];
  if (!Planted) sync_block();
  out[threadIdx.x] = tile[threads - 1 - threadIdx.x];
}

template <bool Planted>
__global__ void barrier_before_load(const float* in, float* out) {
  auto& tile = shared<float[threads]>();
  float sum = 0;
  for (unsigned k = 0; k < 3; ++k) {
    tile[threadIdx.x] = in[threadIdx.x] * static_cast<float>(k + 1);
    sync_block();
    sum += tile[threadIdx.x + 1 < threads ? threadIdx.x + 1 : threadIdx.x];
    if (!Planted) sync_block();
  }
  out[threadIdx.x] = sum;
}

template <bool Planted>
__global__ void load_past_the_end(const float* in, float* out, unsigned count) {
  const unsigned at = 4 * threadIdx.x;
  if (at >= count) return;
  float x[4];
  device::load<true>(in + at, Planted ? 4 : count - at, x);
  device::store<false>(out + at, count - at, x);
}

template <bool Planted>
__global__ void index_too_far(const float* in, float* out) {
  auto& tile = shared<float[threads]>();
  tile[threadIdx.x] = in[threadIdx.x];
  sync_block();
  const unsigned next = threadIdx.x + 1;
  out[threadIdx.x] = tile[Planted ? next : next % threads];
}

template <bool Planted>
__global__ void divergent_warp_sum(const float* in, float* out) {
  float x = in[threadIdx.x];
  if (!Planted || threadIdx.x % 32 < 16) x = device::warp_sum(x);
  out[threadIdx.x] = x;
}

template <bool Planted>
__global__ void early_return(const float* in, float* out) {
  auto& tile = shared<float[threads]>();
  if (Planted && threadIdx.x >= 60) return;
  tile[threadIdx.x] = in[threadIdx.x];
  sync_block();
  out[threadIdx.x] = tile[threadIdx.x < 60 ? 59 - threadIdx.x : threadIdx.x];
}

template <bool Planted>
__global__ void sum_of_blocks(const float* in, float* out) {
  if (threadIdx.x != 0) return;
  if (Planted)
    out[0] += in[blockIdx.x];
  else
    device::atomic_add(out, in[blockIdx.x]);
}

template <bool Planted>
__global__ void misaligned_load(const float* in, float* out) {
  float x[4];
  const unsigned at = 4 * (threadIdx.x % 8) + (Planted ? 1 : 0);
  device::load<true>(in + at, 4, x);
  out[threadIdx.x] = x[0];
}

template <bool Planted>
__global__ void copy_not_awaited(const float* in, float* out) {
  auto& tile = shared<float[4 * threads]>();
  device::copy_async(&tile[4 * threadIdx.x], in + 4 * threadIdx.x);
  device::commit_copies();
  if (!Planted) device::wait_copies<0>();
  sync_block();
  out[threadIdx.x] = tile[4 * threads - 1 - threadIdx.x];
}

__global__ void in_dynamic_shared(const float* in, float* out) {
  auto* tile = device::dynamic_shared<float>();
  for (unsigned k = 0; k < 2; ++k) tile[k * threads + threadIdx.x] = in[threadIdx.x];
  sync_block();
  out[threadIdx.x] = tile[2 * threads - 1 - threadIdx.x];
}

template <bool Planted>
__global__ void shuffle_as_barrier(const float* in, float* out) {
  auto& tile = shared<float[threads]>();
  tile[threadIdx.x] = in[threadIdx.x];
  if (Planted)
    (void)device::shuffle_xor(0.0F, 1);
  else
    device::sync_warp();
  out[threadIdx.x] = tile[threadIdx.x ^ 1U];
}

template <bool Planted>
__global__ void shared_memory_used_again(const float* in, float* out) {
  auto& parts = shared<float[2]>();
  float total = 0;
  for (unsigned k = 1; k <= 2; ++k) {
    const float x = device::warp_sum(in[threadIdx.x] * static_cast<float>(k));
    if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = x;
    sync_block();
    total += device::warp_sum(threadIdx.x % 32 < 2 ? parts[threadIdx.x % 32] : 0.0F);
    if (!Planted) sync_block();
  }
  out[threadIdx.x] = total;
}

template <bool Planted>
__global__ void barrier_between_write_and_read(const float* in, float* out) {
  auto& tile = shared<float[threads][2]>();
  tile[threadIdx.x][0] = in[threadIdx.x];
  sync_block();
  tile[threadIdx.x][1] = tile[threads - 1 - threadIdx.x][0];
  if (!Planted) sync_block();
  out[threadIdx.x] = tile[threads - 1 - threadIdx.x][1];
}

/// out (16, 8) = a (16, 16) b (16, 8), all of small integers.
template <bool Planted>
__global__ void swapped_fragments(const float* in, float* out) {
  const unsigned group = threadIdx.x / 4, pair = threadIdx.x % 4 * 2;
  const auto word = [&](unsigned i, unsigned j, unsigned step) {
    return static_cast<std::uint32_t>(device::from_float<device::bfloat16>(in[(i * 16 + j) % threads]).bits) |
           static_cast<std::uint32_t>(device::from_float<device::bfloat16>(in[(i * 16 + j + step) % threads]).bits)
               << 16;
  };
  std::uint32_t a[4] = {word(group, pair, 1), word(group + 8, pair, 1), word(group, pair + 8, 1),
                        word(group + 8, pair + 8, 1)};
  const std::uint32_t b[2] = {word(pair, group, 16), word(pair + 8, group, 16)};
  if (Planted) {
    const std::uint32_t kept = a[1];
    a[1] = a[2];
    a[2] = kept;
  }
  float c[4] = {};
  device::mma_bf16(c, a, b);
  for (unsigned r = 0; r < 4; ++r) out[(group + r / 2 * 8) * 8 + pair + r % 2] = c[r];
}

/// In clusters of two blocks: each thread's value goes to the other block, which hands its own out after that.
template <bool Planted>
__global__ void cluster_barrier_missed(const float* in, float* out) {
  auto& tile = shared<float[threads]>();
  tile[threadIdx.x] = in[threadIdx.x];
  if (!Planted || device::cluster_block() == 0) device::sync_cluster();
  if (Planted) sync_block();
  out[blockIdx.x * threads + threadIdx.x] = tile[threads - 1 - threadIdx.x];
}

enum class exchange_fault { none, not_awaited, too_many_expected, sent_too_early };

/// Two rounds of an exchange through one place.
template <exchange_fault Fault>
__global__ void exchange(const float* in, float* out) {
  auto& arrived = shared<device::arrivals>();
  auto& tile = shared<float[threads], 1>();
  if (threadIdx.x == 0) device::open_arrivals(arrived);
  device::sync_cluster();
  float sum = 0;
  for (unsigned round = 0; round < 2; ++round) {
    if (threadIdx.x == 0)
      device::expect_bytes(arrived, threads * 4 + (Fault == exchange_fault::too_many_expected ? 4 : 0));
    const float mine = in[threadIdx.x] * static_cast<float>(round + 1);
    device::send_word(&tile[threadIdx.x], 1 - device::cluster_block(), device::float_bits(mine), arrived);
    if (Fault != exchange_fault::not_awaited) device::wait_arrivals(arrived, round);
    sum += tile[threads - 1 - threadIdx.x];
    if (Fault != exchange_fault::sent_too_early || round == 1) device::sync_cluster();  // all have read
  }
  out[blockIdx.x * threads + threadIdx.x] = sum;
}

// ---- what each must give
// ---------------------------------------------------------------------------------------------

constexpr unsigned inputs = 4 * threads;
float input(unsigned i) { return static_cast<float>(i * 7 % 13) - 4; }

/// Runs case `number` (1 … 18); false where the values are wrong.
template <bool Planted>
bool values_right(int number) {
  const unsigned count = number == 3 ? threads - 1 : inputs;
  std::vector<float> out(2 * threads, 0.0F), want(2 * threads, 0.0F);
  std::vector<float> in(count);
  for (unsigned i = 0; i < count; ++i) in[i] = input(i);
  const auto run = [&](auto kernel, device::launch_shape shape, auto... more) {
    device::launch({}, shape, kernel, in.data(), out.data(), more...);
  };
  const auto expect = [&](auto value, unsigned n = threads) {
    for (unsigned t = 0; t < n; ++t) want[t] = value(t);
  };
  switch (number) {
    case 1:
      run(&barrier_after_load<Planted>, {1, threads});
      expect([](unsigned t) { return input(threads - 1 - t); });
      break;
    case 2:
      run(&barrier_before_load<Planted>, {1, threads});
      expect([](unsigned t) { return 6 * input(t + 1 < threads ? t + 1 : t); });
      break;
    case 3:
      run(&load_past_the_end<Planted>, {1, threads / 4}, threads - 1);
      expect(&input, threads - 1);
      break;
    case 4:
      run(&index_too_far<Planted>, {1, threads});
      expect([](unsigned t) { return input((t + 1) % threads); });
      break;
    case 5:
      run(&divergent_warp_sum<Planted>, {1, threads});
      expect([](unsigned t) {
        float sum = 0;
        for (unsigned k = 0; k < 32; ++k) sum += input(t / 32 * 32 + k);
        return sum;
      });
      break;
    case 6:
      run(&early_return<Planted>, {1, threads});
      expect([](unsigned t) { return input(t < 60 ? 59 - t : t); });
      break;
    case 7:
      run(&sum_of_blocks<Planted>, {8, 32});
      for (unsigned k = 0; k < 8; ++k) want[0] += input(k);
      break;
    case 8:
      run(&misaligned_load<Planted>, {1, threads});
      expect([](unsigned t) { return input(4 * (t % 8)); });
      break;
    case 9:
      run(&copy_not_awaited<Planted>, {1, threads});
      expect([](unsigned t) { return input(4 * threads - 1 - t); });
      break;
    case 10:
      run(&in_dynamic_shared, {1, threads, 2 * threads * sizeof(float) - (Planted ? 256 : 0)});
      expect([](unsigned t) { return input(threads - 1 - t); });
      break;
    case 11:
      run(&shuffle_as_barrier<Planted>, {1, threads});
      expect([](unsigned t) { return input(t ^ 1U); });
      break;
    case 12:
      run(&shared_memory_used_again<Planted>, {1, threads});
      expect([](unsigned) {
        float sum = 0;
        for (unsigned k = 0; k < threads; ++k) sum += 3 * input(k);
        return sum;
      });
      break;
    case 13:
      run(&barrier_between_write_and_read<Planted>, {1, threads});
      expect(&input);
      break;
    case 14:
      run(&swapped_fragments<Planted>, {1, 32});
      expect(
          [](unsigned t) {
            float sum = 0;
            for (unsigned k = 0; k < 16; ++k)
              sum += input((t / 8 * 16 + k) % threads) * input((k * 16 + t % 8) % threads);
            return sum;
          },
          2 * threads);
      break;
    case 15:
      run(&cluster_barrier_missed<Planted>, {2, threads, 0, 2});
      expect([](unsigned t) { return input(threads - 1 - t % threads); }, 2 * threads);
      break;
    case 16:
    case 17:
    case 18:
      run(!Planted       ? &exchange<exchange_fault::none>
          : number == 16 ? &exchange<exchange_fault::not_awaited>
          : number == 17 ? &exchange<exchange_fault::too_many_expected>
                         : &exchange<exchange_fault::sent_too_early>,
          {2, threads, 0, 2});
      expect([](unsigned t) { return 3 * input(threads - 1 - t % threads); }, 2 * threads);
      break;
  }
  bool right = true;
  for (std::size_t i = 0; i < want.size(); ++i) right = right && out[i] == want[i];  // NaN sticks
  return right;
}

// ---- each in a process of its own
// ------------------------------------------------------------------------------------

enum class seen { nothing, value, engine, sanitizer, crash };
constexpr const char* name_of(seen s) {
  constexpr const char* names[] = {"-", "value", "engine", "sanitizer", "crash"};
  return names[static_cast<int>(s)];
}

seen outcome(int number, bool planted, const shim::schedule& s) {
  std::fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    const int nowhere = open("/dev/null", O_WRONLY);
    dup2(nowhere, 1);
    dup2(nowhere, 2);
    shim::chosen_schedule = s;
    int code = 0;
    try {
      code = (planted ? values_right<true>(number) : values_right<false>(number)) ? 0 : 10;
    } catch (const shim::kernel_fault&) {
      code = 11;
    }
    std::exit(code);
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFSIGNALED(status)) return seen::crash;
  const int code = WEXITSTATUS(status);
  return code == 0 ? seen::nothing : code == 10 ? seen::value : code == 11 ? seen::engine : seen::sanitizer;
}

/// Who must see a fault: plain in forward, reverse or random order, the address or the thread sanitizer.
struct fault {
  const char* name;
  bool forward, reverse, random, address, thread;
};
constexpr fault faults[] = {
    {"no barrier after a tile is loaded", true, true, true, true, true},
    {"no barrier before a tile is loaded", false, true, true, false, true},
    {"a 4-wide access past the end", false, false, false, true, false},
    {"a shared index one too far", true, true, true, true, true},
    {"a warp's sum in a divergent branch", true, true, true, true, true},
    {"a return before a barrier", true, true, true, true, true},
    {"a plain += by many blocks", false, false, false, false, true},
    {"a misaligned 16-byte load", true, true, true, true, true},
    {"an asynchronous copy never awaited", true, true, true, true, true},
    {"dynamic shared memory 256 bytes short", true, true, true, true, false},
    {"a shuffle used as a barrier", false, false, false, false, true},
    {"no barrier before shared memory is used again", false, true, false, false, true},
    {"no barrier between write and read", true, true, true, true, true},
    {"fragments of a matrix swapped", true, true, true, true, true},
    {"a cluster's barrier missed by a block", true, true, true, true, true},
    {"words of another block not awaited", true, true, true, true, true},
    {"more bytes expected than come", true, true, true, true, true},
    {"a place sent to that is still read", true, true, true, true, true},
};

}  // namespace

int main() {
  constexpr bool plain = !shim::address_sanitizer && !shim::thread_sanitizer;
  int failed = 0, number = 0;
  for (const auto& f : faults) {
    ++number;
    std::string line;
    const auto demand = [&](const std::string& mode, bool wanted, const shim::schedule& s) {
      const seen right = outcome(number, false, s), got = outcome(number, true, s);
      line += concat(line.empty() ? "" : ", ", mode, ": ", name_of(got));
      if (right != seen::nothing) line += concat(" (and in the right kernel: ", name_of(right), ")"), ++failed;
      if (wanted && got == seen::nothing) line += " MISSED", ++failed;
    };
    if (plain) {
      demand("forward", f.forward, {});
      demand("reverse", f.reverse, {shim::order::reverse});
      for (std::uint64_t seed = 1; seed <= 8; ++seed)
        demand(concat("random ", seed), f.random, {shim::order::random, seed});
    } else {
      demand(shim::address_sanitizer ? "address" : "thread", shim::address_sanitizer ? f.address : f.thread, {});
    }
    std::printf("%2d %-48s %s\n", number, f.name, line.c_str());
  }
  std::printf("%d missed or seen in vain\n", failed);
  return failed == 0 ? 0 : 1;
}
