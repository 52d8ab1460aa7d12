// SPDX-License-Identifier: Apache-2.0
#include <anodiff/ops/attention_cpu.hpp>
#include "op_support.hpp"

namespace op_test::attention_test {

namespace {

template <class T>
struct looks {
  index n, queries, keys, heads, width;
  std::vector<T> q, k, v, y, log_sum;
  looks(index pictures, index i, index j, index h, index w, double spread = 1)
      : n{pictures},
        queries{i},
        keys{j},
        heads{h},
        width{w},
        q(values<T>(n * i * h * w, 1, spread)),
        k(values<T>(n * j * h * w, 2, spread)),
        v(values<T>(n * j * h * w, 3)),
        y(q.size()),
        log_sum(static_cast<std::size_t>(n * h * i)) {}
  template <class U>
  explicit looks(const looks<U>& from) : looks{from.n, from.queries, from.keys, from.heads, from.width} {
    q = as<T>(from.q);
    k = as<T>(from.k);
    v = as<T>(from.v);
  }
  [[nodiscard]] ops::attention_forward<T> forward() {
    return {.q = q.data(),
            .k = k.data(),
            .v = v.data(),
            .y = y.data(),
            .log_sum = log_sum.data(),
            .n = n,
            .queries = queries,
            .keys = keys,
            .heads = heads,
            .width = width};
  }
  /// dq, dk and dv, one after another; all start at 0.25.
  template <class Run>
  [[nodiscard]] std::vector<T> gradients(const std::vector<T>& dy, bool add, Run&& run) const {
    std::vector<T> all(q.size() + k.size() + v.size(), T(0.25));
    run(ops::attention_backward<T>{.q = q.data(),
                                   .k = k.data(),
                                   .v = v.data(),
                                   .y = y.data(),
                                   .dy = dy.data(),
                                   .log_sum = log_sum.data(),
                                   .dq = all.data(),
                                   .dk = all.data() + q.size(),
                                   .dv = all.data() + q.size() + k.size(),
                                   .add_q = add,
                                   .add_k = add,
                                   .add_v = add,
                                   .n = n,
                                   .queries = queries,
                                   .keys = keys,
                                   .heads = heads,
                                   .width = width});
    return all;
  }
};

template <class Operation>
void on_cpu(Operation op, thread_pool& on) {
  using T = std::remove_pointer_t<decltype(op.scratch)>;
  aligned_vector<T> memory(static_cast<std::size_t>(ops::cpu::scratch(op, on)), T(NAN));
  op.scratch = memory.data();
  ops::cpu::run(op, on);
}

}  // namespace

TEST_CASE("two keys by hand", "[attention]") {
  looks<double> a{1, 1, 2, 1, 4};
  a.q = {2, 0, 0, 0};
  a.k = {0, 1, 1, 1, std::log(3.0), 5, 5, 5};  // scores 0 and ln 3
  a.v = {1, 0, 8, 4, 5, 4, 0, 4};
  ops::reference::run(a.forward());
  CHECK(a.y[0] == Approx(4));
  CHECK(a.y[1] == Approx(3));
  CHECK(a.y[2] == Approx(2));
  CHECK(a.y[3] == Approx(4));
  CHECK(a.log_sum[0] == Approx(std::log(4.0)));
}

TEMPLATE_TEST_CASE("streamed attention matches its reference", "[attention]", float, double) {
  const double bound = sizeof(TestType) == 4 ? 2e-5 : 1e-12;
  for (const auto& [queries, keys, heads, width] : std::initializer_list<std::array<index, 4>>{
           {1, 1, 1, 1}, {5, 3, 2, 3}, {16, 16, 1, 64}, {49, 65, 3, 8}, {100, 200, 2, 33}, {256, 256, 1, 16}})
    for (const double spread : {1.0, 4.0}) {
      CAPTURE(queries, keys, heads, width, spread);
      looks<TestType> a{2, queries, keys, heads, width, spread};
      looks<double> exact{a};
      ops::reference::run(exact.forward());
      CHECK(worst(on_all_pools([&](thread_pool& on) {
                    on_cpu(a.forward(), on);
                    auto all = a.y;
                    all.insert(all.end(), a.log_sum.begin(), a.log_sum.end());
                    return all;
                  }),
                  [&] {
                    auto all = exact.y;
                    all.insert(all.end(), exact.log_sum.begin(), exact.log_sum.end());
                    return all;
                  }()) <= bound * spread * spread);
      const auto dy = values<TestType>(static_cast<index>(a.y.size()), 5);
      for (const bool add : {false, true}) {
        const auto want = exact.gradients(as<double>(dy), add, [](const auto& op) { ops::reference::run(op); });
        const auto got = on_all_pools(
            [&](thread_pool& on) { return a.gradients(dy, add, [&](const auto& op) { on_cpu(op, on); }); });
        CHECK(worst(got, want) <= bound * 20 * spread * spread);
      }
    }
}

TEST_CASE("gradients of attention match central differences", "[attention]") {
  looks<double> a{2, 5, 4, 2, 3};
  const auto dy = values<double>(static_cast<index>(a.y.size()), 5);
  const auto loss = [&] {
    ops::reference::run(a.forward());
    return dot(a.y, dy);
  };
  (void)loss();
  auto all = a.gradients(dy, true, [](const auto& op) { ops::reference::run(op); });
  for (double& g : all) g -= 0.25;
  const auto keys = all.begin() + static_cast<index>(a.q.size()), rest = keys + static_cast<index>(a.k.size());
  CHECK(gradient_error(a.q, {all.begin(), keys}, loss) < 1e-7);
  CHECK(gradient_error(a.k, {keys, rest}, loss) < 1e-7);
  CHECK(gradient_error(a.v, {rest, all.end()}, loss) < 1e-7);
}

TEST_CASE("scores far from zero neither overflow nor vanish", "[attention]") {
  looks<float> a{1, 70, 130, 1, 16, 30};
  on_cpu(a.forward(), pool(2));
  looks<double> exact{a};
  ops::reference::run(exact.forward());
  CHECK(worst(a.y, exact.y) < 2e-2);  // scores of some thousands, known to 1e-4 each
  for (float& q : a.q) q = 0;         // all keys alike: the mean of v
  on_cpu(a.forward(), pool(2));
  double mean = 0;
  for (std::size_t j = 0; j < 130; ++j) mean += static_cast<double>(a.v[j * 16]) / 130;
  CHECK(static_cast<double>(a.y[69 * 16]) == Approx(mean).margin(1e-5));
}

TEST_CASE("a picture's attention does not depend on the pictures beside it", "[attention]") {
  looks<float> many{3, 60, 70, 2, 20};
  on_cpu(many.forward(), pool(3));
  looks<float> one{1, 60, 70, 2, 20};
  one.q = rows_of(many.q, 60 * 40, 2, 3);
  one.k = rows_of(many.k, 70 * 40, 2, 3);
  one.v = rows_of(many.v, 70 * 40, 2, 3);
  on_cpu(one.forward(), pool(1));
  CHECK(same_bits(one.y, rows_of(many.y, 60 * 40, 2, 3)));
}

}  // namespace op_test::attention_test
