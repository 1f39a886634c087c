#include "base/file.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <optional>
#include <system_error>
#include <utility>

#include "base/descriptor.h"
#include "base/openssl.h"
#include "base/paths.h"
#include "base/random.h"
#include "base/text.h"

namespace fogline {
namespace {

/// Beyond any picture, card, bundle or model (protobuf ends here).
constexpr size_t kMostRead = size_t{2} << 30;
/// Files from here on must hold a sixteenth of what they claim: a smaller one is read whatever it
/// holds, and no writer leaves a larger one with so little in it.
constexpr uint64_t kAnyHoles = uint64_t{64} << 20;
constexpr uint64_t kLeastShare = 16;

std::string ErrnoText() { return std::generic_category().message(errno); }

tl::unexpected<Error> FailErrno(const std::filesystem::path& path, const char* doing) {
  return Fail(CodeOfErrno(errno), path.string(), "cannot {}: {}", doing, ErrnoText());
}

Status CheckKind(const std::filesystem::path& path, const struct stat& info) {
  const auto refuse = [&](const char* what) -> Status {
    return Fail(ErrorCode::kInvalid, path.string(), "is {}", what);
  };
  if (S_ISREG(info.st_mode)) return {};
  if (S_ISDIR(info.st_mode)) return refuse("a folder");
  if (S_ISLNK(info.st_mode)) return refuse("a link, not a file");
  if (S_ISFIFO(info.st_mode)) return refuse("a pipe, not a file");
  if (S_ISSOCK(info.st_mode)) return refuse("a socket, not a file");
  return refuse("a device, not a file");
}

/// An open regular file and its size. Not blocking: a pipe without a writer would hold us for ever.
struct OpenFile {
  Descriptor descriptor;
  size_t size;
};

/// Adds up what lies between the holes, as far as it takes to know. A file system that knows of no
/// holes says that there are none.
Status CheckHoles(const std::filesystem::path& path, int fd, uint64_t size) {
  if (size < kAnyHoles) return {};
  uint64_t held = 0;
  for (off_t at = 0; held < size / kLeastShare;) {
    const off_t data = lseek(fd, at, SEEK_DATA);
    if (data < 0 && errno != ENXIO) return {};  // cannot say
    if (data < 0) {
      return Fail(ErrorCode::kInvalid, path.string(), "claims {} and holds {}: a sparse file",
                  HumanBytes(static_cast<double>(size)), HumanBytes(static_cast<double>(held)));
    }
    at = lseek(fd, data, SEEK_HOLE);
    if (at < 0) return {};
    held += static_cast<uint64_t>(at - data);
  }
  return lseek(fd, 0, SEEK_SET) == 0 ? Status() : FailErrno(path, "read");
}

Status OpenRegular(const std::filesystem::path& path, std::optional<OpenFile>& file,
                   int links = 0) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | links);
  if (fd < 0 && errno == ENOENT) {
    return Fail(ErrorCode::kNotFound, path.string(), "cannot open: {}{}",
                std::generic_category().message(ENOENT), NearestBeside(path));
  }
  if (fd < 0) return FailErrno(path, "open");
  file.emplace(OpenFile{Descriptor(fd), 0});
  struct stat info {};
  if (fstat(fd, &info) != 0) return FailErrno(path, "stat");
  FOGLINE_CHECK(CheckKind(path, info));
  file->size = static_cast<size_t>(info.st_size);
  return CheckHoles(path, fd, file->size);
}

/// Reads until `to` is full or the file ends; how much there was.
Result<size_t> ReadInto(const std::filesystem::path& path, int fd, std::span<std::byte> to) {
  size_t done = 0;
  while (done < to.size()) {
    const ssize_t n = read(fd, to.data() + done, to.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return FailErrno(path, "read");
    if (n == 0) break;
    done += static_cast<size_t>(n);
  }
  return done;
}

/// What is left of an open file, as a whole.
Result<std::vector<std::byte>> ReadAll(const std::filesystem::path& path, const OpenFile& file) {
  // The kernel's own files (/proc) say that they hold nothing, and hold something.
  const bool unsized = file.size == 0;
  if (file.size > kMostRead) {
    return Fail(ErrorCode::kInvalid, path.string(),
                "has {} bytes; {} is the most that is read as a whole", file.size, kMostRead);
  }
  constexpr size_t kPiece = 1 << 14;
  std::vector<std::byte> data(unsized ? kPiece : file.size);
  size_t done = 0;
  for (;;) {
    FOGLINE_TRY(const size_t read,
                ReadInto(path, file.descriptor.get(), std::span(data).subspan(done)));
    done += read;
    if (!unsized || done < data.size()) break;
    data.resize(done + kPiece);
  }
  data.resize(done);
  return data;
}

}  // namespace

Status CheckRegularFile(const std::filesystem::path& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) return FailErrno(path, "open");
  return CheckKind(path, info);
}

Status CheckOwnFile(const std::filesystem::path& path) {
  struct stat info {};
  if (lstat(path.c_str(), &info) != 0) return FailErrno(path, "open");
  FOGLINE_CHECK(CheckKind(path, info));
  std::optional<OpenFile> file;
  return OpenRegular(path, file, O_NOFOLLOW);
}

Result<MappedFile> MappedFile::Open(const std::filesystem::path& path) {
  std::optional<OpenFile> file;
  FOGLINE_CHECK(OpenRegular(path, file));
  if (file->size == 0) return MappedFile(nullptr, 0);
  void* data = mmap(nullptr, file->size, PROT_READ, MAP_PRIVATE, file->descriptor.get(), 0);
  if (data == MAP_FAILED) return FailErrno(path, "map");
  return MappedFile(data, file->size);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) munmap(data_, size_);
}

void MappedFile::Release() const {
  // Of a read-only file nothing is lost; a failure only keeps the pages.
  if (data_ != nullptr) madvise(data_, size_, MADV_DONTNEED);
}

Result<std::vector<std::byte>> ReadFile(const std::filesystem::path& path) {
  std::optional<OpenFile> file;
  FOGLINE_CHECK(OpenRegular(path, file));
  return ReadAll(path, *file);
}

Result<std::vector<std::byte>> ReadFileIn(const std::filesystem::path& folder,
                                          const std::filesystem::path& path) {
  std::optional<OpenFile> file;
  FOGLINE_CHECK(OpenRegular(path, file));
  // Of what is open, not of the path, which may lead elsewhere a moment later.
  const auto opened = fmt::format("/proc/self/fd/{}", file->descriptor.get());
  if (IsLink(opened)) FOGLINE_CHECK(CheckLeadsInto(folder, opened, path));
  return ReadAll(path, *file);
}

Result<Sha256> HashFile(const std::filesystem::path& path) {
  std::optional<OpenFile> file;
  FOGLINE_CHECK(OpenRegular(path, file));
  SetUpOpenssl();
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        &EVP_MD_CTX_free);
  // As HashSha256: they fail for want of memory alone.
  const auto check = [](int done) {
    if (done != 1) throw std::bad_alloc();
  };
  check(context != nullptr ? EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) : 0);
  std::vector<std::byte> piece(size_t{1} << 20);
  size_t read = piece.size();
  while (read == piece.size()) {
    FOGLINE_TRY(read, ReadInto(path, file->descriptor.get(), piece));
    check(EVP_DigestUpdate(context.get(), piece.data(), read));
  }
  Sha256 hash{};
  check(EVP_DigestFinal_ex(context.get(), hash.data(), nullptr));
  return hash;
}

Result<std::string> ReadTextFile(const std::filesystem::path& path) {
  FOGLINE_TRY(const auto bytes, ReadFile(path));
  return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

Status WriteFile(const std::filesystem::path& path, std::span<const std::byte> data) {
  // An ordinary file, as the umask of the program has it: those of daemons are their own.
  const std::string temporary = fmt::format("{}.{:08x}", path.string(), RandomBits() >> 32);
  const int fd = open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (fd < 0) return FailErrno(path, "create");
  const auto fail = [&](const char* doing) -> Status {
    const auto error = FailErrno(path, doing);
    unlink(temporary.c_str());
    return error;
  };
  {
    const Descriptor file(fd);
    size_t done = 0;
    while (done < data.size()) {
      const ssize_t n = write(fd, data.data() + done, data.size() - done);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return fail("write");
      done += static_cast<size_t>(n);
    }
  }
  if (rename(temporary.c_str(), path.c_str()) != 0) return fail("rename to");
  return {};
}

Status WriteFile(const std::filesystem::path& path, std::string_view text) {
  return WriteFile(path, std::as_bytes(std::span(text.data(), text.size())));
}

TempDir::TempDir() {
  std::string name = (std::filesystem::temp_directory_path() / "fogline-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) {
    throw std::system_error(errno, std::generic_category(), "cannot make a folder in " + name);
  }
  path_ = name;
}

TempDir::~TempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace fogline
