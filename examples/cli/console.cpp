// SPDX-License-Identifier: Apache-2.0
#include "console.hpp"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <iterator>
#include <stdexcept>

namespace anodiff::cli {

namespace {

volatile std::sig_atomic_t signal_seen = 0;

void notice(int signal) { signal_seen = signal; }

std::string formatted(const char* format, double value) {
  char text[64];
  return {text, static_cast<std::size_t>(std::snprintf(text, sizeof text, format, value))};
}

std::string duration(double seconds) {
  const auto whole = static_cast<long>(std::ceil(seconds));
  if (whole < 60) return concat(whole, " s");
  if (whole < 3600) return concat(whole / 60, " min ", whole % 60, " s");
  return concat(whole / 3600, " h ", whole / 60 % 60, " min");
}

std::string status(const progress& p) {
  std::string out = concat(p.stage, " ", p.done);
  if (p.total > 0) out += concat(" of ", p.total);
  if (p.loss != 0) out += concat(", loss ", short_number(p.loss));
  if (p.validation != 0) out += concat(", validation ", short_number(p.validation));
  return out;
}

}  // namespace

void print(const std::string& text) {
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  check<io_error>(written && std::fflush(stdout) == 0, "cannot write the result to the standard output");
}
void print(const json& document) {
  try {
    print(document.dump(2) + '\n');
  } catch (const json::type_error&) {
    throw data_error("cannot write JSON: a name in the data is not UTF-8");
  }
}

console::console(bool quiet) : quiet_{quiet}, terminal_{::isatty(STDERR_FILENO) == 1}, shown_{clock::now()} {}

void console::write_note(const std::string& text) {
  clear();
  std::fprintf(stderr, "anodiff: %s\n", text.c_str());
}

/// Of what this run has to do of the stage, or of its time where that ends sooner.
double console::share_done(const progress& p, double seconds, double limit) const {
  const double units =
      p.total > first_ ? static_cast<double>(p.done - first_) / static_cast<double>(p.total - first_) : 0;
  return std::clamp(std::max(units, limit > 0 ? seconds / limit : 0), 0.0, 1.0);
}

void console::show(const progress& p, double limit) {
  if (quiet_) return;
  const auto now = clock::now();
  if (stage_ != p.stage) {
    stage_ = p.stage;
    begun_ = now;
    first_ = p.done;
  }
  if (now - shown_ < (terminal_ ? std::chrono::milliseconds{100} : std::chrono::milliseconds{5000})) return;
  shown_ = now;
  const double seconds = std::chrono::duration<double>(now - begun_).count(), share = share_done(p, seconds, limit);
  std::string text = status(p);
  const double rate = p.rate > 0 ? p.rate : seconds > 0 ? static_cast<double>(p.done - first_) / seconds : 0;
  if (rate > 0) text += concat(", ", short_number(rate), "/s");
  if (share > 0 && share < 1) text += concat(", ", duration(seconds * (1 - share) / share), " left");
  if (!terminal_) {
    std::fprintf(stderr, "anodiff: %s\n", text.c_str());
    return;
  }
  std::string bar(24, '.');
  std::fill_n(bar.begin(), static_cast<std::ptrdiff_t>(share * static_cast<double>(bar.size())), '#');
  std::fprintf(stderr, "\r\033[K[%s] %s", bar.c_str(), text.c_str());
  std::fflush(stderr);
  drawn_ = true;
}

void console::clear() {
  if (!drawn_) return;
  std::fputs("\r\033[K", stderr);
  std::fflush(stderr);
  drawn_ = false;
}

interruptible::interruptible() {
  signal_seen = 0;
  struct sigaction action {};
  action.sa_handler = notice;
  action.sa_flags = static_cast<int>(SA_RESETHAND) | SA_RESTART;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}
interruptible::~interruptible() {
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
}
int interruptible::requested() noexcept { return signal_seen; }

std::string short_number(double value) { return formatted("%.6g", value); }
std::string short_seconds(double seconds) { return formatted("%.3g s", seconds); }
std::string per_cent(double share) { return formatted("%.2f", 100 * share); }
std::string pad_right(std::string text, std::size_t width) {
  text.resize(std::max(width, text.size()), ' ');
  return text;
}
std::string pad_left(std::string text, std::size_t width) {
  if (text.size() < width) text.insert(0, width - text.size(), ' ');
  return text;
}

}  // namespace anodiff::cli
