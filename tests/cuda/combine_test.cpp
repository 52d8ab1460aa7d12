// SPDX-License-Identifier: Apache-2.0
#include <anodiff/ops/combine.cuh>
#include "../support/cuda_test.hpp"

namespace cuda_test::combine_test {

namespace {

using ops::cuda::mixed_combine;

/// Which parts take part in an update, a bit each.
enum parts : int { saved = 1, past = 2, noise = 4, clip = 8, keep_clean = 16, score = 32, all = 63 };

template <class X, class F>
struct update {
  index rows, row_size;
  int parts;
  std::vector<double> x, output, kept, past_0, past_2, target, evidence;
  ops::row_noise key{{.seed = 31, .draw = 2, .step = 6}, nullptr, 4};

  update(index n, index d, int which)
      : rows{n},
        row_size{d},
        parts{which},
        x(inputs<X>(n * d, 1)),
        output(inputs<F>(n * d, 2)),
        kept(inputs<X>(n * d, 3)),
        past_0(inputs<X>(n * d, 4)),
        past_2(inputs<X>(n * d, 5)),
        target(inputs<X>(n * d, 6)),
        evidence(inputs<float>(n * d, 7)) {}
  [[nodiscard]] bool with(int part) const { return (parts & part) != 0; }

  template <class Op>
  void weigh(Op& op) const {
    op.fold = {0.75F, -0.5F, with(clip) ? 0.8125F : 0.0F};
    op.wx = 0.25F;
    op.wc = 1.5F;
    if (with(saved)) op.ws = -0.125F;
    if (with(past)) op.wp[0] = 0.5F, op.wp[2] = -2.0F;
    if (with(noise)) op.wz = 0.3125F, op.noise = key;
  }

  /// next, clean and evidence of the rows [first, last), side by side; pad shifts every address.
  [[nodiscard]] std::vector<double> on_device(index first, index last, index pad) const {
    const auto part = [&](auto element, const std::vector<double>& from) {
      using T = decltype(element);
      auto rows_there = rows_of(from, row_size, first, last);
      rows_there.insert(rows_there.begin(), static_cast<std::size_t>(pad), 0.0);
      return elements<T>(rows_there);
    };
    device_array<X> dx(part(X{}, x)), dkept(part(X{}, kept)), d0(part(X{}, past_0)), d2(part(X{}, past_2)),
        dtarget(part(X{}, target)), dclean(part(X{}, x)), dnext(part(X{}, x));
    device_array<F> doutput(part(F{}, output));
    device_array<float> devidence(part(float{}, evidence));
    mixed_combine<X, F> op{.x = dx.data() + pad,
                           .output = doutput.data() + pad,
                           .next = dnext.data() + pad,
                           .rows = last - first,
                           .row_size = row_size};
    weigh(op);
    if (with(saved)) op.saved = dkept.data() + pad;
    if (with(past)) op.past[0] = d0.data() + pad, op.past[2] = d2.data() + pad;
    if (with(keep_clean)) op.clean = dclean.data() + pad;
    if (with(score)) op.score = {dtarget.data() + pad, devidence.data() + pad, 0.5F, kind()};
    ops::cuda::run(op, stream);
    std::vector<double> out;
    const auto append = [&](const auto& from) {
      const auto v = values_of(from.host());
      out.insert(out.end(), v.begin() + pad, v.end());
    };
    append(dnext);
    append(dclean);
    append(devidence);
    return out;
  }

  [[nodiscard]] std::vector<double> by_reference() const {
    std::vector<double> next(x.size()), clean(x.size()), sums = evidence;
    ops::combine<double> op{.x = x.data(),
                            .output = output.data(),
                            .saved = kept.data(),
                            .past = {past_0.data(), nullptr, past_2.data()},
                            .clean = clean.data(),
                            .next = next.data(),
                            .rows = rows,
                            .row_size = row_size};
    weigh(op);
    ops::reference::run(op);
    if (with(score)) {
      std::vector<double> d(x.size());
      ops::reference::run(ops::row_distance<double>{clean.data(), target.data(), d.data(), rows, row_size, kind()});
      for (std::size_t i = 0; i < d.size(); ++i) sums[i] += 0.5 * d[i];
    }
    if (!with(keep_clean)) clean = x;
    next.insert(next.end(), clean.begin(), clean.end());
    next.insert(next.end(), sums.begin(), sums.end());
    return next;
  }

  [[nodiscard]] ops::distance_kind kind() const {
    return with(saved) ? ops::distance_kind::l1 : ops::distance_kind::l2;
  }
};

template <class X, class F>
void check_update(index rows, index row_size, int parts) {
  CAPTURE(rows, row_size, parts);
  const update<X, F> u{rows, row_size, parts};
  const auto got = in_every_order([&] { return u.on_device(0, rows, 0); });
  // terms reach 20 times the result's unit; the evidence stays float but is a square of what was rounded to float
  CHECK(worst(got, u.by_reference()) <= 8 * ops::combine_bound + ops::normal_bound + rounding<X>);
  if (few_threads) return;
  CHECK(same_bits(got, u.on_device(0, rows, 1)));
  const auto size = static_cast<std::ptrdiff_t>(u.x.size());
  for (index i = 0; i < rows && i < 3; ++i) {
    const auto alone = u.on_device(i, i + 1, 0);
    for (int part = 0; part < 3; ++part)
      CHECK(std::equal(alone.begin() + part * row_size, alone.begin() + (part + 1) * row_size,
                       got.begin() + part * size + i * row_size));
  }
}

}  // namespace

TEST_CASE("the fused update matches its reference in every form", "[cuda][combine]") {
  if (!device_ready()) return;
  for (const auto& [rows, row_size] : row_shapes())
    for (int parts = few_threads ? all : 0; parts <= all; ++parts) check_update<float, float>(rows, row_size, parts);
}

TEMPLATE_TEST_CASE("the fused update in half precision", "[cuda][combine]", device::half, device::bfloat16) {
  if (!device_ready()) return;
  for (const auto& [rows, row_size] : row_shapes())
    for (const int parts : {noise | score, int{all}}) {
      if (few_threads && parts != all) continue;
      check_update<TestType, TestType>(rows, row_size, parts);
      check_update<float, TestType>(rows, row_size, parts);
    }
}

TEST_CASE("on the device a term of weight zero is never read and NaN passes the clip", "[cuda][combine]") {
  if (!device_ready()) return;
  device_array<float> x(std::vector<float>{1, 2, 3, NAN, -7}), next(5, 0.0F), nothing(5, NAN);
  ops::combine<float> op{.x = x.data(), .output = nullptr, .next = next.data(), .rows = 1, .row_size = 5};
  op.fold = {0, 0, 0};
  op.wx = 3;
  ops::cuda::run(op, stream);
  const auto plain = next.host();
  CHECK(std::vector<float>(plain.begin(), plain.begin() + 3) == std::vector<float>{3, 6, 9});
  op.fold = {1, 0, 2};
  op.wx = 0;
  op.wc = 1;
  op.saved = nothing.data();
  ops::cuda::run(op, stream);
  const auto clipped = next.host();
  CHECK(std::isnan(clipped[3]));
  CHECK(clipped[0] == 1);
  CHECK(clipped[2] == 2);
  CHECK(clipped[4] == -2);
}

}  // namespace cuda_test::combine_test
