// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/formats/safetensors.hpp>
#include <anodiff/pipeline/fit_options.hpp>
#include <anodiff/pipeline/parts.hpp>
#include <anodiff/pipeline/trainer.hpp>

namespace anodiff {

namespace detail {

/// Turns an invalid number inside a file into a fault of the file, and names the file in faults that do not.
template <class F>
void as_data_error(const std::string& file, F&& f) {
  try {
    f();
  } catch (const invalid_argument& fault) {
    throw data_error(concat(file, ": ", fault.what()));
  } catch (const data_error& fault) {
    if (std::string_view{fault.what()}.starts_with(file)) throw;
    throw data_error(concat(file, ": ", fault.what()));
  }
}

}  // namespace detail

/// Writes a training state as one safetensors file, whole or not at all. `identity` says which fit it belongs to.
template <class T>
void write_checkpoint(const std::string& path, const training_state<T>& state, const std::string& identity) {
  using formats::named;
  const auto flat = [](const aligned_vector<T>& v) { return std::span<const T>{v.data(), v.size()}; };
  formats::write_safetensors(path,
                             {named("weights", flat(state.weights)), named("first", flat(state.first)),
                              named("second", flat(state.second)), named("average", flat(state.average))},
                             {{"kind", "anodiff training checkpoint"},
                              {"identity", identity},
                              {"step", concat(state.step)},
                              {"loss", concat(state.loss)},
                              {"validation", concat(state.validation)}});
}

/// Reads a state back. Throws data_error where the file is no checkpoint, or belongs to another fit.
template <class T>
[[nodiscard]] training_state<T> read_checkpoint(const std::string& path, const std::string& identity,
                                                index parameters) {
  const auto file = formats::read_safetensors(path);
  const auto* kind = file.find_metadata("kind");
  check<data_error>(kind != nullptr && *kind == "anodiff training checkpoint", path, ": is no training checkpoint");
  check<data_error>(file.metadata_at("identity") == identity, path,
                    ": was written by a fit with other data or other numbers; remove it, or name another file");
  training_state<T> state;
  const auto take = [&](std::string_view name) {
    const auto view = file.find<T, 1>(name, shape<1>{parameters});
    return aligned_vector<T>(view.data(), view.data() + view.size());
  };
  state.weights = take("weights");
  state.first = take("first");
  state.second = take("second");
  state.average = take("average");
  detail::as_data_error(path, [&] {
    detail::field_from_text("step", file.metadata_at("step"), state.step);
    detail::field_from_text("loss", file.metadata_at("loss"), state.loss);
    detail::field_from_text("validation", file.metadata_at("validation"), state.validation);
  });
  check<data_error>(state.step >= 0, path, ": step must not be negative, got ", state.step);
  return state;
}

/// Of the data that a fit is given: FNV-1a over the bits of its values.
class checksum {
 public:
  void add(std::uint32_t bits) noexcept { value_ = (value_ ^ bits) * 0x100000001b3ULL; }
  void add(std::span<const float> values) noexcept {
    for (const float v : values) add(std::bit_cast<std::uint32_t>(v));
  }
  [[nodiscard]] std::uint64_t value() const noexcept { return value_; }

 private:
  std::uint64_t value_ = 0xcbf29ce484222325ULL;
};

/// Names the fit that a checkpoint belongs to: its data, its policies, and every number that shapes training.
template <class Parts>
[[nodiscard]] std::string fit_identity(std::string data, const text_fields& numbers) {
  for (const auto& [kind, name] : detail::policy_names<Parts>()) data += concat("; ", kind, " ", name);
  for (const auto& [key, value] : numbers)
    if (key != "training.time_budget" && !key.starts_with("calibration") && key != "memory_limit")
      data += concat("; ", key, " ", value);
  return data;
}

/// Runs a training, from the checkpoint that how.checkpoint names where there is one, and writes it now and then and at
/// the end, however that comes: a stopped training can go on, and what follows can fail without losing a finished one.
template <class Trainer>
void run_with_checkpoints(Trainer& training, const fit_options& how, const std::string& identity, index parameters) {
  if (how.checkpoint.empty()) {
    training.run(how.progress, [](index) {});
    return;
  }
  using real = typename Trainer::real;
  if (formats::file_exists(how.checkpoint))
    training.restore(read_checkpoint<real>(how.checkpoint, identity, parameters));
  auto written = std::chrono::steady_clock::now();
  index written_step = training.state().step;
  const auto write = [&] {
    write_checkpoint(how.checkpoint, training.state(), identity);
    written = std::chrono::steady_clock::now();
    written_step = training.state().step;
  };
  training.run(how.progress, [&](index) {
    const auto now = std::chrono::steady_clock::now();
    if (std::chrono::duration<double>(now - written).count() < how.checkpoint_seconds) return;
    training.settle();
    write();
  });
  if (training.state().step != written_step) write();
}

}  // namespace anodiff
