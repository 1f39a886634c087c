// One connection to PostgreSQL that opens itself anew, and its errors as ours.
#pragma once

#include <libpq-fe.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "store/postgres_rows.h"
#include "store/server_health.h"

namespace fogline {

/// "postgresql://[user[:password]@]host[:port]/database[?setting=value&…]", as libpq reads it.
struct PostgresAddress {
  std::string host, port, database, user;
  /// Everything that libpq is told. To another machine it is TLS with the host's name checked,
  /// against the system's authorities, unless the address has an sslmode and an sslrootcert.
  std::vector<std::pair<std::string, std::string>> settings;

  /// Without the login, for messages.
  std::string ToString() const;
};
Result<PostgresAddress> ParsePostgres(const std::string& url);

/// Not thread-safe; connects when first used.
class PostgresConnection {
 public:
  /// Runs after each connect, e.g. to see whether it is still the same store.
  using Greeting = std::function<Status(PostgresConnection&)>;

  PostgresConnection(PostgresAddress address, std::shared_ptr<ServerHealth> health,
                     Greeting greeting = {})
      : address_(std::move(address)), health_(std::move(health)), greeting_(std::move(greeting)) {}

  /// One statement, prepared the first time. Outside of Transact it is sent once more over a new
  /// connection when this one turns out to be gone: it must be such that twice does no harm.
  Result<PostgresRows> Run(const std::string& sql, const PostgresParameters& values = {});
  /// Any number of statements without values or rows.
  Status Execute(const std::string& sql);
  /// Within Transact: rows for "COPY … FROM STDIN (FORMAT binary)".
  Status Copy(const std::string& sql, PostgresCopy& rows);
  /// All that `work` runs here, or nothing of it. It is done anew when the connection turns out to
  /// be gone, or others were in the way: twice must do no harm.
  Status Transact(const std::function<Status()>& work);
  /// Waits for a notification of what is listened to, for at most that long.
  Result<bool> AwaitNotification(Nanos at_most);

  std::string where() const { return address_.ToString(); }
  const PostgresAddress& address() const { return address_; }

 private:
  struct Finish {
    void operator()(PGconn* connection) const { PQfinish(connection); }
  };
  using Answer = std::unique_ptr<PGresult, decltype(&PQclear)>;

  Status Connect();
  /// With a connection, or over a new one.
  Status Retried(const std::function<Status()>& work);
  Result<PostgresRows> RunHere(const std::string& sql, const PostgresParameters& values);
  /// The last answer to what was sent.
  Result<Answer> Await();
  Status ExecuteHere(const std::string& sql);
  tl::unexpected<Error> Failure(const PGresult* result);
  tl::unexpected<Error> Lost(std::string_view why);
  bool lost() const { return connection_ == nullptr; }

  PostgresAddress address_;
  std::shared_ptr<ServerHealth> health_;
  Greeting greeting_;
  bool greeting_now_ = false;
  bool transacting_ = false;
  bool in_the_way_ = false;  // whether the last failure was somebody else's transaction
  std::unique_ptr<PGconn, Finish> connection_;
  std::unordered_map<std::string, std::string> prepared_;  // by their SQL
};

}  // namespace fogline
