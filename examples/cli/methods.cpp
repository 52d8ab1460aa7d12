// SPDX-License-Identifier: Apache-2.0
#include <anodiff/runtime/any_detector.hpp>
#include <anodiff/runtime/any_picture_detector.hpp>
#include <memory>

#include "command.hpp"
#include "console.hpp"

namespace anodiff::cli {

namespace {

struct methods_flags {
  bool json = false;
  std::string method;
};

text_fields defaults_of(const std::string& method) {
  return any_picture_detector::knows(method) ? any_picture_detector::make(method, {}, 1).numbers()
                                             : any_detector::make(method, {}, 1).numbers();
}

void run(const methods_flags& flags) {
  if (!flags.method.empty()) {
    const auto numbers = defaults_of(flags.method);
    if (flags.json) return print(json{{"name", flags.method}, {"numbers", object_of(numbers)}});
    std::string out;
    for (const auto& [name, value] : numbers) out += concat(pad_right(name, 28), value, "\n");
    return print(out);
  }
  auto methods = any_detector::methods();
  for (auto& method : any_picture_detector::methods()) methods.push_back(std::move(method));
  if (flags.json) {
    json out = json::array();
    for (const auto& [name, summary] : methods) out.push_back({{"name", name}, {"summary", summary}});
    return print(out);
  }
  std::size_t width = 0;
  for (const auto& method : methods) width = std::max(width, method.name.size());
  std::string out;
  for (const auto& [name, summary] : methods) out += concat(pad_right(name, width + 2), summary, "\n");
  print(out);
}

}  // namespace

void add_methods(CLI::App& program) {
  auto& command = *program.add_subcommand("methods", "List the methods, or the numbers of one with their defaults");
  const auto flags = std::make_shared<methods_flags>();
  command.add_option("METHOD", flags->method, "Show the numbers of this method");
  command.add_flag("--json", flags->json, "Give the result as one JSON document");
  command.callback([flags] { run(*flags); });
}

}  // namespace anodiff::cli
