#include "servers/local_postgres.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <pwd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <thread>
#include <vector>

#include "base/descriptor.h"
#include "base/paths.h"
#include "servers/serve.h"

namespace fogline {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

/// Who runs the server: us, or where we are root somebody who is not.
// NOLINTBEGIN(concurrency-mt-unsafe): servers are started before a test's threads
const passwd* Runner() {
  if (geteuid() != 0) return getpwuid(geteuid());
  const passwd* postgres = getpwnam("postgres");
  return postgres != nullptr ? postgres : getpwnam("nobody");
}
// NOLINTEND(concurrency-mt-unsafe)

Words AsRunner(Words command) {
  if (geteuid() != 0) return command;
  Words words{"setpriv", fmt::format("--reuid={}", Runner()->pw_uid),
              fmt::format("--regid={}", Runner()->pw_gid), "--clear-groups", "--pdeathsig=KILL"};
  words.insert(words.end(), command.begin(), command.end());
  return words;
}

Status Finish(const Words& command, const fs::path& log) {
  FOGLINE_TRY(Process process,
              Process::Start({.command = command, .capture_stdout = true, .stderr_to = log}));
  FOGLINE_TRY(const std::string said, process.ReadStdout());
  if (process.Wait() == 0) return {};
  return Fail(ErrorCode::kUnavailable, command.front(), "{}", ReadTextFile(log).value_or(said));
}

/// Debian keeps the server's programs beside those of other versions.
Result<fs::path> Programs() {
  fs::path newest;
  const auto versions = EntriesOf("/usr/lib/postgresql").value_or(std::vector<fs::path>());
  for (const fs::path& version : versions) {
    const fs::path programs = version / "bin";
    if (Exists(programs / "initdb")) newest = programs;
  }
  if (newest.empty()) {
    return Fail(ErrorCode::kNotFound, "postgresql", "is not installed; scripts/setup does it");
  }
  return newest;
}

Status GiveToRunner(const fs::path& path) {
  if (geteuid() != 0) return {};
  const int done = chown(path.c_str(), Runner()->pw_uid, Runner()->pw_gid);
  return done == 0 ? Status() : Fail(ErrorCode::kInternal, path.string(), "cannot be given away");
}

/// A cluster as initdb leaves it, which takes a second: made once, by one of those who ask.
Result<fs::path> FreshCluster(const fs::path& programs) {
  const std::string version = programs.parent_path().filename().string();
  std::error_code failed;
  const fs::path kept =
      fs::temp_directory_path(failed) / fmt::format("fogline-postgres-{}-{}", version, geteuid());
  FOGLINE_CHECK(MakeFolders(kept));
  const Descriptor lock(open((kept / "lock").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600));
  if (!lock || flock(lock.get(), LOCK_EX) != 0) {
    return Fail(ErrorCode::kUnavailable, kept.string(), "cannot be locked");
  }
  FOGLINE_CHECK(GiveToRunner(kept));
  const fs::path cluster = kept / "data";
  if (Exists(cluster / "ready")) return cluster;
  RemoveAll(cluster);
  FOGLINE_CHECK(
      Finish(AsRunner({(programs / "initdb").string(), "-D", cluster.string(), "-U", "fogline",
                       "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", "--wal-segsize=1"}),
             kept / "initdb.log"));
  FOGLINE_CHECK(WriteFile(cluster / "ready", std::string_view()));
  return cluster;
}

}  // namespace

Result<std::unique_ptr<LocalPostgres>> LocalPostgres::Start(const std::string& settings,
                                                            const std::string& access) {
  FOGLINE_TRY(const fs::path programs, Programs());
  FOGLINE_TRY(const fs::path cluster, FreshCluster(programs));
  std::unique_ptr<LocalPostgres> postgres(new LocalPostgres(FreePort()));
  FOGLINE_CHECK(GiveToRunner(postgres->dir_.path()));
  FOGLINE_CHECK(Finish({"cp", "-a", cluster.string(), postgres->data().string()},
                       postgres->dir_.path() / "copy.log"));
  const std::string config = fmt::format(
      "port = {}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = ''\n"
      "shared_buffers = 32MB\nmax_connections = 60\nhuge_pages = off\nmax_wal_size = 64MB\n"
      "dynamic_shared_memory_type = mmap\nfsync = off\nautovacuum_naptime = 5s\nlog_min_messages = "
      "error\n{}\n",
      postgres->port_, settings);
  FOGLINE_CHECK(postgres->Place("postgresql.conf", config));
  if (!access.empty()) FOGLINE_CHECK(postgres->Place("pg_hba.conf", access));
  FOGLINE_CHECK(postgres->Run());
  return postgres;
}

Result<std::unique_ptr<LocalPostgres>> LocalPostgres::Follow(const LocalPostgres& primary,
                                                             std::optional<int> port) {
  FOGLINE_TRY(const fs::path programs, Programs());
  std::unique_ptr<LocalPostgres> standby(new LocalPostgres(port ? *port : FreePort()));
  FOGLINE_CHECK(GiveToRunner(standby->dir_.path()));
  FOGLINE_CHECK(Finish(
      AsRunner({(programs / "pg_basebackup").string(), "-D", standby->data().string(), "-R", "-c",
                "fast", "-d", fmt::format("host=127.0.0.1 port={} user=fogline", primary.port_)}),
      standby->dir_.path() / "copy.log"));
  FOGLINE_TRY(std::string config, ReadTextFile(standby->data() / "postgresql.conf"));
  config += fmt::format("port = {}\n", standby->port_);  // the last word wins
  FOGLINE_CHECK(standby->Place("postgresql.conf", config));
  FOGLINE_CHECK(standby->Run());
  return standby;
}

Status LocalPostgres::Promote() const {
  return Sql("SELECT pg_promote(true, 30)").map([](const std::string&) {});
}

Status LocalPostgres::Place(const std::string& name, const std::string& text) const {
  FOGLINE_CHECK(WriteFile(data() / name, text));
  if (chmod((data() / name).c_str(), 0600) != 0) {
    return Fail(ErrorCode::kInternal, (data() / name).string(), "cannot be made private");
  }
  return GiveToRunner(data() / name);
}

Status LocalPostgres::UseCertificate(const fs::path& stem) const {
  for (const char* kind : {".crt", ".key"}) {
    FOGLINE_TRY(const std::string text, ReadTextFile(stem.string() + kind));
    FOGLINE_CHECK(Place(std::string("server") + kind, text));
  }
  FOGLINE_CHECK(Sql("ALTER SYSTEM SET ssl = on"));
  return Sql("SELECT pg_reload_conf()").map([](const std::string&) {});
}

std::string LocalPostgres::url(const std::string& database) const {
  return fmt::format("postgresql://fogline@127.0.0.1:{}/{}", port_, database);
}

Status LocalPostgres::Run() {
  FOGLINE_TRY(const fs::path programs, Programs());
  const fs::path log = dir_.path() / "server.log";
  const Words asks{
      (programs / "pg_isready").string(), "-q", "-h", "127.0.0.1", "-p", std::to_string(port_)};
  const auto answers = [&] {
    if (!ConnectHere(port_)) return false;
    auto asked = Process::Start(
        {.command = asks, .capture_stdout = true, .stderr_to = dir_.path() / "asked.log"});
    return asked && asked->Wait() == 0;
  };
  const Words command = AsRunner({(programs / "postgres").string(), "-D", data().string()});
  // After a kill -9 its children may still be about, and it does not start beside them.
  for (int tries = 0;; ++tries) {
    auto started = StartServer(command, log, log, answers);
    if (started) {
      process_ = *std::move(started);
      return {};
    }
    if (tries == 20) return Forward(std::move(started));
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

void LocalPostgres::Kill() {
  if (!process_.Running()) return;
  process_.Signal(SIGKILL);
  process_.Wait();
}

Status LocalPostgres::Restart() {
  Kill();
  return Run();
}

Result<std::string> LocalPostgres::Sql(const std::string& statements,
                                       const std::string& database) const {
  const fs::path log = dir_.path() / "psql.log";
  FOGLINE_TRY(Process psql, Process::Start({.command = {"psql", "-XAtq", "-v", "ON_ERROR_STOP=1",
                                                        "-d", url(database), "-c", statements},
                                            .capture_stdout = true,
                                            .stderr_to = log}));
  FOGLINE_TRY(std::string said, psql.ReadStdout());
  if (psql.Wait() == 0) return said;
  return Fail(ErrorCode::kInvalid, "psql", "{}", ReadTextFile(log).value_or("failed"));
}

}  // namespace fogline
