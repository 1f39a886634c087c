// A PostgreSQL of our own on a free loopback port: what tests and benchmarks talk to.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "base/file.h"
#include "base/process.h"
#include "base/result.h"

namespace fogline {

/// A running server whose superuser "fogline" needs no password; it ends with this object. Its
/// files live in a temporary folder, copied from a fresh cluster that is made once a machine. As
/// root it runs as the user "postgres" or "nobody": PostgreSQL takes no orders from root.
class LocalPostgres {
 public:
  /// It does not sync its disk unless `settings` say so: what it wrote outlives its own death, not
  /// the machine's. `settings` are further lines for postgresql.conf; `access` replaces pg_hba.conf
  /// where it says something. Returns once the server answers. kNotFound where no PostgreSQL is
  /// installed.
  static Result<std::unique_ptr<LocalPostgres>> Start(const std::string& settings = {},
                                                      const std::string& access = {});

  /// A standby of another, which must run: a copy of its files that follows it. Whether the other
  /// waits for it is the other's setting (synchronous_standby_names).
  /// `port`: one that it had before, where it takes the place of one that is gone.
  static Result<std::unique_ptr<LocalPostgres>> Follow(const LocalPostgres& primary,
                                                       std::optional<int> port = std::nullopt);
  /// Makes a standby one that takes orders; returns once it does.
  Status Promote() const;

  /// Its files go as well: no time for an orderly end.
  ~LocalPostgres() { Kill(); }

  int port() const { return port_; }
  /// Of the first of its processes, whose children the others are.
  pid_t pid() const { return process_.pid(); }
  /// Of the database "postgres", or another.
  std::string url(const std::string& database = "postgres") const;
  /// kill -9.
  void Kill();
  /// A fresh start on the same port with the same files.
  Status Restart();
  /// Its postgresql.conf and data.
  std::filesystem::path data() const { return dir_.path() / "data"; }
  /// From now on it speaks TLS, too, with the certificate STEM.crt and the key STEM.key.
  Status UseCertificate(const std::filesystem::path& stem) const;
  /// Runs statements through psql and gives what they say, without decoration.
  Result<std::string> Sql(const std::string& statements,
                          const std::string& database = "postgres") const;

 private:
  explicit LocalPostgres(int port) : process_(Process::None()), port_(port) {}
  Status Run();
  /// A file in data(), of the user who runs the server.
  Status Place(const std::string& name, const std::string& text) const;

  TempDir dir_;
  Process process_;
  int port_;
};

}  // namespace fogline
