// SPDX-License-Identifier: Apache-2.0
// The method chosen by name at run time, a model file, and the same bits from it: as any_detector, and as the type that
// the method has.
#include <anodiff/engines/cpu.hpp>
#include <anodiff/methods/denoising_error.hpp>
#include <anodiff/runtime/any_detector.hpp>
#include <cstdio>
#include <exception>
#include <filesystem>

#include "pump.hpp"

namespace ad = anodiff;

namespace {

bool lesson(const std::string& path) {
  for (const auto& method : ad::any_detector::methods())
    std::printf("%-20s %s\n", method.name.c_str(), method.summary.c_str());

  auto model =
      ad::any_detector::make("denoising_error", {{"training.steps", "100"}, {"model.width", "64"}, {"seed", "7"}});
  model.fit(pump::rows(600, 1), {.columns = pump::columns});
  model.save(path);  // one safetensors file, whole or not at all

  const auto loaded = ad::any_detector::load(path);  // the file knows its method
  const auto typed = ad::methods::denoising_error<ad::cpu_engine>::load(path);
  const auto fresh = pump::joined(pump::rows(50, 2), pump::rows(50, 3, true));  // (100, 6)
  const auto before = model.score(fresh), after = loaded.score(fresh), with_type = typed.score(fresh);

  std::printf("%s: %s, learned from %lld rows, %lld steps, score above %.3f is an alarm\n", path.c_str(),
              loaded.method().c_str(), static_cast<long long>(loaded.record().rows),
              static_cast<long long>(loaded.record().steps), *loaded.threshold());
  const bool same = before.score == after.score && before.p_value == after.p_value &&
                    before.evidence == after.evidence && before.score == with_type.score;
  std::printf("scores, p-values and evidence before and after: %s\n", same ? "equal to the last bit" : "NOT equal");
  return same && loaded.record().columns == pump::columns;
}

}  // namespace

int main() {
  const auto path = std::filesystem::temp_directory_path() / "anodiff_03_save_and_load.anodiff";
  bool holds = false;
  try {
    holds = lesson(path.string());
  } catch (const std::exception& fault) {
    std::fprintf(stderr, "%s\n", fault.what());
  }
  std::error_code ignored;
  std::filesystem::remove(path, ignored);
  return holds ? 0 : 1;
}
