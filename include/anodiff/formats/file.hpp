// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <anodiff/formats/bytes.hpp>
#include <atomic>
#include <cerrno>
#include <climits>
#include <concepts>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

namespace anodiff::formats {

/// Where a writer puts its bytes: a file_sink or a buffer.
template <class S>
concept byte_sink = requires(S& sink, byte_span bytes) {
  sink.write(bytes);
};

namespace detail {

/// An open file, closed at the end of its life.
class file_handle {
 public:
  explicit file_handle(int descriptor) noexcept : descriptor_{descriptor} {}
  file_handle(const file_handle&) = delete;
  file_handle& operator=(const file_handle&) = delete;
  ~file_handle() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  [[nodiscard]] int get() const noexcept { return descriptor_; }
  /// False where closing reports that an earlier write was lost (as on a network disk).
  [[nodiscard]] bool close() noexcept { return ::close(std::exchange(descriptor_, -1)) == 0; }

 private:
  int descriptor_;
};

[[noreturn]] inline void fail_io(std::string_view what, const std::string& path) {
  const int reason = errno;
  throw io_error(concat("cannot ", what, " ", path, ": ", std::strerror(reason)));
}

/// Fills as much of to as the file has; less than all of it means the end.
inline std::size_t read_fully(int file, std::span<std::byte> to, const std::string& path) {
  constexpr std::size_t most = std::size_t{1} << 30;  // one call moves less than 2 GiB on Linux
  std::size_t done = 0;
  while (done < to.size()) {
    const auto got = ::read(file, to.data() + done, std::min(to.size() - done, most));
    if (got == 0) break;
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail_io("read", path);
    done += static_cast<std::size_t>(got);
  }
  return done;
}

}  // namespace detail

/// Whether something stands at path, a folder too; false where that cannot be told.
[[nodiscard]] inline bool file_exists(const std::string& path) noexcept { return ::access(path.c_str(), F_OK) == 0; }

/// The largest file that a reader takes unless told otherwise, in bytes.
inline constexpr std::uint64_t default_file_limit = std::uint64_t{64} << 30;

/// All bytes of a file; a pipe is read to its end. Throws io_error where it cannot be opened or read, data_error where
/// it is larger than limit, memory_error where memory has no room for it.
[[nodiscard]] inline buffer read_file(const std::string& path, std::uint64_t limit = default_file_limit) {
  const detail::file_handle file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.get() < 0) detail::fail_io("open", path);
  struct stat facts {};
  if (::fstat(file.get(), &facts) != 0) detail::fail_io("read", path);
  check<io_error>(!S_ISDIR(facts.st_mode), "cannot read ", path, ": it is a folder");
  const bool regular = S_ISREG(facts.st_mode) && facts.st_size > 0;  // what /proc holds says 0 and has more
  if (regular) {
    const auto size = static_cast<std::uint64_t>(facts.st_size);
    check<data_error>(size <= limit, path, ": at most ", limit, " bytes can be read, the file has ", size);
    buffer content{static_cast<std::size_t>(size)};
    content.resize(detail::read_fully(file.get(), content.span(), path));
    return content;
  }
  constexpr std::size_t piece = std::size_t{1} << 16;
  buffer content;
  for (std::size_t got = piece; got == piece;) {
    const std::size_t before = content.size();
    content.resize(before + piece);
    got = detail::read_fully(file.get(), content.span().subspan(before), path);
    content.resize(before + got);
    check<data_error>(content.size() <= limit, path, ": at most ", limit, " bytes can be read, it has more");
  }
  return content;
}

/// Gathers small writes to an open file. Errors throw io_error.
class file_sink {
 public:
  file_sink(int descriptor, const std::string& path) : descriptor_{descriptor}, path_{path} {}
  void write(byte_span bytes) {
    if (pending_.size() + bytes.size() > gathered) flush();
    if (bytes.size() >= gathered)
      write_through(bytes);
    else
      pending_.append(bytes);
  }
  void write(std::string_view text) { write(bytes_of(text)); }
  void flush() {
    write_through(pending_.span());
    pending_.resize(0);
  }

 private:
  static constexpr std::size_t gathered = std::size_t{1} << 16;

  void write_through(byte_span bytes) {
    constexpr std::size_t most = std::size_t{1} << 30;
    while (!bytes.empty()) {
      const auto put = ::write(descriptor_, bytes.data(), std::min(bytes.size(), most));
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) detail::fail_io("write", path_);
      bytes = bytes.subspan(static_cast<std::size_t>(put));
    }
  }

  int descriptor_;
  const std::string& path_;
  buffer pending_;
};

namespace detail {

/// The file that path means: itself, or what a symbolic link leads to, so that the link stays a link.
inline std::string link_target(const std::string& path) {
  struct stat facts {};
  if (::lstat(path.c_str(), &facts) != 0 || !S_ISLNK(facts.st_mode)) return path;
  const std::unique_ptr<char, decltype(&std::free)> real{::realpath(path.c_str(), nullptr), &std::free};
  return real ? std::string{real.get()} : path;
}

/// A new file beside its destination, removed at the end of its life unless it has been renamed to it.
class temporary_file {
 public:
  temporary_file(const std::string& destination, unsigned mode) {
    static std::atomic<unsigned> counter{0};
    const auto slash = destination.rfind('/');
    const auto folder = slash == std::string::npos ? std::string{} : destination.substr(0, slash + 1);
    do {  // a name of its own: the destination's could leave no room for a suffix
      path_ = concat(folder, ".anodiff-", static_cast<long>(::getpid()), "-", counter++, ".tmp");
      descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    } while (descriptor_ < 0 && errno == EEXIST);
    if (descriptor_ < 0) fail_io("create a file beside", destination);
  }
  temporary_file(const temporary_file&) = delete;
  temporary_file& operator=(const temporary_file&) = delete;
  ~temporary_file() {
    if (!path_.empty()) ::unlink(path_.c_str());
  }
  [[nodiscard]] int descriptor() const noexcept { return descriptor_; }
  void rename_to(const std::string& destination) {
    if (::rename(path_.c_str(), destination.c_str()) != 0) fail_io("rename the new file to", destination);
    path_.clear();
  }

 private:
  std::string path_;
  int descriptor_ = -1;
};

inline void sync_folder(const std::string& path) noexcept {
  const auto slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const file_handle handle{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (handle.get() >= 0) ::fsync(handle.get());  // some file systems cannot; the file itself is safe by then
}

}  // namespace detail

/// Writes a file whole or not at all: write(file_sink&) fills a new file in the same folder, which is forced to the
/// disk and renamed to path. On any failure, also one that write throws, the new file is removed and an old one stays
/// as it was. An old file's permissions are kept; a link stays a link; a device or a pipe is written straight.
/// Throws io_error where the system refuses.
template <class Write>
requires std::invocable<Write&, file_sink&>
void write_file_atomically(const std::string& path, Write&& write) {
  const std::string target = detail::link_target(path);
  struct stat facts {};
  const bool exists = ::stat(target.c_str(), &facts) == 0;
  check<io_error>(!exists || !S_ISDIR(facts.st_mode), "cannot write ", path, ": it is a folder");
  if (exists && !S_ISREG(facts.st_mode)) {
    detail::file_handle file{::open(target.c_str(), O_WRONLY | O_CLOEXEC)};
    if (file.get() < 0) detail::fail_io("open", path);
    file_sink sink{file.get(), path};
    write(sink);
    sink.flush();
    return;
  }
  detail::temporary_file temporary{target, 0666};
  detail::file_handle file{temporary.descriptor()};
  if (exists && ::fchmod(file.get(), facts.st_mode & 07777) != 0) detail::fail_io("set the permissions of", path);
  file_sink sink{file.get(), path};
  write(sink);
  sink.flush();
  const bool cannot_sync = ::fsync(file.get()) != 0;
  if (cannot_sync && errno != EINVAL && errno != ENOSYS) detail::fail_io("write", path);  // some file systems have none
  if (!file.close()) detail::fail_io("write", path);
  temporary.rename_to(target);
  detail::sync_folder(target);
}

/// The same for bytes that are at hand.
inline void write_file_atomically(const std::string& path, byte_span bytes) {
  write_file_atomically(path, [&](file_sink& sink) { sink.write(bytes); });
}

}  // namespace anodiff::formats
