// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <anodiff/formats/json.hpp>
#include <anodiff/formats/safetensors.hpp>
#include <anodiff/pipeline/model_file.hpp>
#include <memory>
#include <string_view>

#include "command.hpp"
#include "console.hpp"

namespace anodiff::cli {

namespace {

struct info_flags {
  std::string model;
  bool json = false;
};

/// The metadata whose keys begin with a prefix, without it.
text_fields group(const formats::safetensors_file& file, std::string_view prefix) {
  text_fields out;
  for (const auto& [key, value] : file.metadata)
    if (key.starts_with(prefix)) out.emplace_back(key.substr(prefix.size()), value);
  return out;
}
std::string find(const text_fields& fields, std::string_view name) {
  for (const auto& [key, value] : fields)
    if (key == name) return value;
  return {};
}

/// What a model file says of itself; the model is not built.
json describe(const formats::safetensors_file& file) {
  const auto method = detail::check_model_file(file);
  const auto list = [&](const char* key) {
    (void)formats::parse_json(file.metadata_at(key), concat(file.name, ": ", key));  // refuses with a message
    return json::parse(file.metadata_at(key));
  };
  const bool calibrated = file.contains("calibration.scores");
  const auto numbers = group(file, "numbers.");
  std::uint64_t bytes = 0;
  index parameters = 0;
  for (const auto& tensor : file.tensors) {
    bytes += tensor.bytes.size();
    if (tensor.name.starts_with("model."))
      parameters += static_cast<index>(tensor.bytes.size() / formats::size_of(tensor.type));
  }
  const auto promised = value_of(find(numbers, "calibration.alpha"));
  json calibration = nullptr;
  if (calibrated)
    calibration = {{"rows", file.find<double, 1>("calibration.scores").rows()}, {"promised_rate", promised}};
  json interest = nullptr;
  if (file.contains("interest")) {
    const auto mask = file.find<std::uint8_t, 2>("interest");
    interest = {{"size", {mask.extent(0), mask.extent(1)}},
                {"pixels", std::ranges::count_if(mask.flat(), [](auto v) { return v != 0; })}};
  }
  return {{"file", file.name},
          {"format", value_of(file.metadata_at("anodiff.format"))},
          {"version", file.metadata_at("anodiff.version")},
          {"method", method},
          {"sample", list("sample")},
          {"columns", file.find_metadata("columns") != nullptr ? list("columns") : json::array()},
          {"policies", object_of(group(file, "policy."))},
          {"numbers", object_of(numbers)},
          {"fit", object_of(group(file, "fit."))},
          {"calibration", calibration},
          {"interest", interest},
          {"model_values", parameters},
          {"bytes", bytes},
          {"holds_training_rows", file.metadata_at("holds_training_rows") == "true"}};
}

std::string text_from(const json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

std::string section(const char* title, const json& members) {
  std::string out = concat(title, "\n");
  for (const auto& [key, value] : members.items()) out += concat("  ", pad_right(key, 28), text_from(value), "\n");
  return out;
}

std::string summary(const json& facts) {
  std::string out = concat(text_from(facts["file"]), ": ", text_from(facts["method"]), ", format ",
                           text_from(facts["format"]), ", written by anodiff ", text_from(facts["version"]), "\n");
  out += concat("samples of ", text_from(facts["sample"]), "; the model holds ", text_from(facts["model_values"]),
                " values, the file ", text_from(facts["bytes"]), " bytes of tensors\n");
  if (facts["calibration"].is_null())
    out += "not calibrated: it gives no p-values and raises no alarm\n";
  else
    out += concat("calibrated on ", text_from(facts["calibration"]["rows"]), " rows; promised rate of false alarms ",
                  text_from(facts["calibration"]["promised_rate"]), "\n");
  if (!facts["interest"].is_null())
    out += concat("judges ", text_from(facts["interest"]["pixels"]), " pixels of pictures of ",
                  text_from(facts["interest"]["size"][0]), " x ", text_from(facts["interest"]["size"][1]), "\n");
  out += facts["holds_training_rows"].get<bool>()
             ? "it contains rows it was trained on: whoever has the file can read them\n"
             : "it contains no training rows, only what was learned from them\n";
  const auto& columns = facts["columns"];
  constexpr std::size_t shown = 40;
  for (std::size_t j = 0; j < std::min(shown, columns.size()); ++j)
    out += concat(j == 0 ? "columns\n  " : ", ", text_from(columns[j]));
  if (columns.size() > shown) out += concat(" and ", columns.size() - shown, " more; --json lists all");
  if (!columns.empty()) out += "\n";
  return out + section("fit", facts["fit"]) + section("policies", facts["policies"]) +
         section("numbers", facts["numbers"]);
}

void run(const info_flags& flags) {
  const auto facts = describe(formats::read_safetensors(flags.model));
  if (flags.json)
    print(facts);
  else
    print(summary(facts));
}

}  // namespace

void add_info(CLI::App& program) {
  auto& command = *program.add_subcommand("info", "Say what a model file holds");
  const auto flags = std::make_shared<info_flags>();
  command.add_option("MODEL", flags->model, "What `anodiff fit` has saved")->required();
  command.add_flag("--json", flags->json, "Give the result as one JSON document");
  command.callback([flags] { run(*flags); });
}

}  // namespace anodiff::cli
