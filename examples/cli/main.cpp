// SPDX-License-Identifier: Apache-2.0
#include <anodiff/core/check.hpp>
#include <anodiff/version.hpp>
#include <csignal>
#include <cstdio>
#include <exception>
#include <new>
#include <string>

#include "command.hpp"
#include "console.hpp"

namespace {

enum exit_code { done = 0, bad_use = 2, bad_data = 3, numeric_failure = 4, no_resources = 5, bug = 70 };

int fail(exit_code code, const std::string& message) {
  std::fprintf(stderr, "anodiff: %s\n", message.c_str());
  return code;
}

std::string sentence_of(const CLI::ParseError& fault) {
  std::string text = fault.what();
  for (char& c : text)
    if (c == '\n') c = ' ';
  while (text.ends_with(' ') || text.ends_with('.')) text.pop_back();
  return text + "; --help says more";
}

std::string missing_command(const CLI::App& program) {
  std::string known;
  for (const auto* command : program.get_subcommands([](const CLI::App*) { return true; }))
    known += (known.empty() ? "" : ", ") + command->get_name();
  const auto unknown = program.remaining();
  return unknown.empty() ? "needs a command: " + known
                         : "no command is called '" + unknown.front() + "'; there are " + known;
}

/// Ends as the signal would have: the caller sees what ended the program.
int end_by(int signal) {
  std::signal(signal, SIG_DFL);
  std::raise(signal);
  return bug;
}

int run(int argc, char** argv) {
  using namespace anodiff;
  CLI::App program{"Anomaly detection with diffusion models: learn from normal rows, then score, explain, evaluate.",
                   "anodiff"};
  program.set_version_flag("--version", concat("anodiff ", version));
  program.require_subcommand(1);
  program.get_formatter()->column_width(34);
  cli::add_methods(program);
  cli::add_fit(program);
  cli::add_score(program);
  cli::add_explain(program);
  cli::add_info(program);
  cli::add_calibrate(program);
  cli::add_evaluate(program);
  cli::add_metrics(program);
  try {
    program.parse(argc, argv);
  } catch (const CLI::Success& asked) {  // --help, --version
    return program.exit(asked);
  } catch (const CLI::ParseError& fault) {
    return fail(bad_use, program.get_subcommands().empty() ? missing_command(program) : sentence_of(fault));
  }
  return done;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const anodiff::invalid_argument& fault) {
    return fail(bad_use, fault.what());
  } catch (const anodiff::data_error& fault) {
    return fail(bad_data, fault.what());
  } catch (const anodiff::numeric_error& fault) {
    return fail(numeric_failure, fault.what());
  } catch (const anodiff::io_error& fault) {
    return fail(no_resources, fault.what());
  } catch (const anodiff::memory_error& fault) {
    return fail(no_resources, fault.what());
  } catch (const std::bad_alloc&) {
    return fail(no_resources, "out of memory");
  } catch (const anodiff::cli::interrupted& by) {
    return end_by(by.signal);
  } catch (const anodiff::stopped&) {  // only Ctrl-C makes a callback say stop
    return end_by(anodiff::cli::interruptible::requested());
  } catch (const std::exception& fault) {
    return fail(bug, std::string{"this is a bug: "} + fault.what());
  }
}
