#include "store/postgres_connection.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/host_port.h"
#include "base/text.h"

namespace fogline {
namespace {

/// Longer than a disk takes for a sync of the log on a bad day, and than any statement may take.
constexpr std::chrono::seconds kLongestAnswer{20};
/// More different statements are not kept prepared: filters are many.
constexpr size_t kMostPrepared = 200;
constexpr int kMostTries = 4;
constexpr const char* kAuthorities = "/etc/ssl/certs/ca-certificates.crt";

std::string OneLine(std::string_view text) {
  std::string line;
  for (const char c : text) {
    const bool blank = c == ' ' || (c >= '\t' && c <= '\r');
    if (!blank) line += c;
    if (blank && !line.empty() && line.back() != ' ') line += ' ';
  }
  if (line.ends_with(' ')) line.pop_back();
  return Printable(line);
}

bool IsThisMachine(std::string_view host) {
  return host.empty() || host.starts_with('/') || host.starts_with('@') || host == "localhost" ||
         host.starts_with("127.") || host == "::1";
}

/// What a connection that does not come about means; libpq has only words for it.
ErrorCode CodeOfRefusal(std::string_view message) {
  for (const auto& [words, code] : {std::pair{"does not exist", ErrorCode::kNotFound},
                                    {"authentication failed", ErrorCode::kUsage},
                                    {"no password supplied", ErrorCode::kUsage},
                                    {"no pg_hba.conf entry", ErrorCode::kUsage},
                                    {"permission denied", ErrorCode::kUsage},
                                    {"certificate", ErrorCode::kUsage},
                                    {"does not support SSL", ErrorCode::kUsage},
                                    {"invalid ", ErrorCode::kUsage}}) {
    if (message.find(words) != message.npos) return code;
  }
  return ErrorCode::kUnavailable;
}

/// By the classes and codes of PostgreSQL's appendix A.
ErrorCode CodeOf(std::string_view state) {
  for (const auto& [prefix, code] : {std::pair{"53300", ErrorCode::kUnavailable},
                                     {"53", ErrorCode::kExhausted},
                                     {"58030", ErrorCode::kExhausted},
                                     {"57014", ErrorCode::kExhausted},
                                     {"57P", ErrorCode::kUnavailable},
                                     {"08", ErrorCode::kUnavailable},
                                     {"25006", ErrorCode::kUnavailable},
                                     {"25P03", ErrorCode::kUnavailable},
                                     {"40", ErrorCode::kUnavailable},
                                     {"55P03", ErrorCode::kUnavailable},
                                     {"42501", ErrorCode::kUsage},
                                     {"28", ErrorCode::kUsage},
                                     {"3D000", ErrorCode::kNotFound},
                                     {"42P01", ErrorCode::kConflict},
                                     {"3F000", ErrorCode::kConflict}}) {
    if (state.starts_with(prefix)) return code;
  }
  return ErrorCode::kInternal;
}

}  // namespace

std::string PostgresAddress::ToString() const {
  return fmt::format("postgresql://{}{}/{}", Bracketed(host), port.empty() ? "" : ":" + port,
                     database);
}

Result<PostgresAddress> ParsePostgres(const std::string& url) {
  // Neither the address nor what libpq says of it is repeated: a password may be in it.
  const auto bad = [] {
    return Fail(ErrorCode::kUsage, "postgresql:",
                "is no address of a store: write "
                "postgresql://[user[:password]@]host[:port]/database[?sslmode=…]");
  };
  if (!url.starts_with("postgresql://") && !url.starts_with("postgres://")) return bad();
  char* why = nullptr;
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(
      PQconninfoParse(url.c_str(), &why), &PQconninfoFree);
  const std::unique_ptr<char, decltype(&PQfreemem)> said(why, &PQfreemem);
  if (options == nullptr) return bad();
  PostgresAddress address;
  bool ssl_said = false, authorities_said = false;
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    if (option->val == nullptr) continue;
    const std::string name = option->keyword, value = option->val;
    if (name == "host") address.host = value;
    if (name == "port") address.port = value;
    if (name == "dbname") address.database = value;
    if (name == "user") address.user = value;
    ssl_said = ssl_said || name == "sslmode";
    authorities_said = authorities_said || name == "sslrootcert";
    address.settings.emplace_back(name, value);
  }
  // Of a password with an '@' or ':' in it that was not written as %40 or %3A.
  const bool torn = address.host.find('@') != std::string::npos ||
                    address.port.find_first_not_of("0123456789,") != std::string::npos;
  if (address.database.empty() || torn) return bad();
  if (!IsThisMachine(address.host)) {
    if (!ssl_said) address.settings.emplace_back("sslmode", "verify-full");
    if (!authorities_said) address.settings.emplace_back("sslrootcert", kAuthorities);
  }
  return address;
}

tl::unexpected<Error> PostgresConnection::Lost(std::string_view why) {
  const std::string said = OneLine(why);
  connection_.reset();
  prepared_.clear();
  return Fail(ErrorCode::kUnavailable, where(), "{}", said.empty() ? "is gone" : said);
}

tl::unexpected<Error> PostgresConnection::Failure(const PGresult* result) {
  const auto field = [&](int which) {
    const char* text = result == nullptr ? nullptr : PQresultErrorField(result, which);
    return text == nullptr ? std::string() : OneLine(text);
  };
  const std::string state = field(PG_DIAG_SQLSTATE);
  std::string said = field(PG_DIAG_MESSAGE_PRIMARY);
  if (said.empty()) said = OneLine(PQerrorMessage(connection_.get()));
  if (PQstatus(connection_.get()) == CONNECTION_BAD || state.starts_with("57P")) return Lost(said);
  in_the_way_ = state.starts_with("40");
  const ErrorCode code = CodeOf(state);
  if (state == "57014") {
    return Fail(code, where(), "the query took too long; narrow its box, time or filters");
  }
  if (state == "42501") {
    return Fail(code, where(),
                "{}; let the owner say: GRANT USAGE ON SCHEMA fogline TO \"{}\"; GRANT SELECT ON "
                "ALL TABLES IN SCHEMA fogline TO \"{}\" (a map), or GRANT fogline_owner TO \"{}\" "
                "(a worker; see docs/operations.md)",
                said, address_.user, address_.user, address_.user);
  }
  return Fail(code, where(), "{}", said);
}

Status PostgresConnection::Connect() {
  std::vector<const char*> names, values;
  for (const auto& [name, value] : address_.settings) {
    names.push_back(name.c_str());
    values.push_back(value.c_str());
  }
  // What an address may not say otherwise comes last; libpq takes the last word.
  constexpr std::array<std::array<const char*, 2>, 8> kSettings{{{"client_encoding", "UTF8"},
                                                                 {"application_name", "fogline"},
                                                                 {"connect_timeout", "5"},
                                                                 {"keepalives_idle", "5"},
                                                                 {"keepalives_interval", "2"},
                                                                 {"keepalives_count", "3"},
                                                                 {"tcp_user_timeout", "10000"},
                                                                 {nullptr, nullptr}}};
  for (const auto& [name, value] : kSettings) {
    names.push_back(name);
    values.push_back(value);
  }
  connection_.reset(PQconnectdbParams(names.data(), values.data(), 0));
  if (PQstatus(connection_.get()) != CONNECTION_OK) {
    const std::string said = OneLine(PQerrorMessage(connection_.get()));
    connection_.reset();
    return Fail(CodeOfRefusal(said), where(), "{}", said);
  }
  PQsetNoticeProcessor(
      connection_.get(), [](void*, const char*) {}, nullptr);
  Status status;
  if (greeting_ && !greeting_now_) {
    greeting_now_ = true;
    status = greeting_(*this);
    greeting_now_ = false;
  }
  if (!status) (void)Lost("");
  return status;
}

Result<PostgresConnection::Answer> PostgresConnection::Await() {
  Answer last(nullptr, &PQclear);
  const auto deadline = Clock::Real().Steady() + kLongestAnswer;
  for (;;) {
    while (PQisBusy(connection_.get()) != 0) {
      const auto left =
          std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::Real().Steady());
      if (left.count() <= 0) return Lost("does not answer");
      pollfd readable{PQsocket(connection_.get()), POLLIN, 0};
      if (poll(&readable, 1, static_cast<int>(left.count())) > 0 &&
          PQconsumeInput(connection_.get()) == 0) {
        return Lost(PQerrorMessage(connection_.get()));
      }
    }
    Answer next(PQgetResult(connection_.get()), &PQclear);
    if (next == nullptr) break;
    const ExecStatusType status = PQresultStatus(next.get());
    // An error is the answer, whatever follows it.
    const bool failed = last != nullptr && PQresultStatus(last.get()) == PGRES_FATAL_ERROR;
    if (!failed) last = std::move(next);
    if (status == PGRES_COPY_IN) break;
  }
  if (last == nullptr) return Lost(PQerrorMessage(connection_.get()));
  const ExecStatusType status = PQresultStatus(last.get());
  if (status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE) return Failure(last.get());
  return last;
}

Result<PostgresRows> PostgresConnection::RunHere(const std::string& sql,
                                                 const PostgresParameters& values) {
  const auto texts = values.values();
  const int count = static_cast<int>(texts.size());
  auto known = prepared_.find(sql);
  if (known == prepared_.end() && prepared_.size() < kMostPrepared) {
    const std::string name = fmt::format("f{}", prepared_.size());
    if (PQsendPrepare(connection_.get(), name.c_str(), sql.c_str(), 0, nullptr) == 0) {
      return Lost(PQerrorMessage(connection_.get()));
    }
    FOGLINE_TRY(const Answer done, Await());
    known = prepared_.emplace(sql, name).first;
  }
  const int sent = known == prepared_.end()
                       ? PQsendQueryParams(connection_.get(), sql.c_str(), count, nullptr,
                                           texts.data(), nullptr, nullptr, 1)
                       : PQsendQueryPrepared(connection_.get(), known->second.c_str(), count,
                                             texts.data(), nullptr, nullptr, 1);
  if (sent == 0) return Lost(PQerrorMessage(connection_.get()));
  FOGLINE_TRY(Answer answer, Await());
  return PostgresRows(answer.release());
}

Status PostgresConnection::ExecuteHere(const std::string& sql) {
  if (PQsendQuery(connection_.get(), sql.c_str()) == 0) {
    return Lost(PQerrorMessage(connection_.get()));
  }
  FOGLINE_TRY(const Answer done, Await());
  return {};
}

Status PostgresConnection::Copy(const std::string& sql, PostgresCopy& rows) {
  FOGLINE_CHECK(ExecuteHere(sql));
  const std::string_view bytes = rows.Finish();
  if (PQputCopyData(connection_.get(), bytes.data(), static_cast<int>(bytes.size())) != 1 ||
      PQputCopyEnd(connection_.get(), nullptr) != 1) {
    return Lost(PQerrorMessage(connection_.get()));
  }
  FOGLINE_TRY(const Answer done, Await());
  return {};
}

Status PostgresConnection::Retried(const std::function<Status()>& work) {
  if (transacting_ || greeting_now_) {
    if (lost()) return Lost("is gone");
    return work();
  }
  Status status;
  // A connection that was there before may have gone since; a new one gets no second chance.
  for (bool fresh = false; !fresh;) {
    fresh = lost();
    status = fresh ? Connect() : Status();
    if (status) status = work();
    if (status) {
      if (fresh) health_->Back(where());
      return status;
    }
    if (!lost()) return status;
  }
  if (status.error().code == ErrorCode::kUnavailable) health_->Lost();
  return status;
}

Result<PostgresRows> PostgresConnection::Run(const std::string& sql,
                                             const PostgresParameters& values) {
  PostgresRows rows;
  FOGLINE_CHECK(Retried([&]() -> Status {
    FOGLINE_TRY(rows, RunHere(sql, values));
    return {};
  }));
  return rows;
}

Status PostgresConnection::Execute(const std::string& sql) {
  return Retried([&] { return ExecuteHere(sql); });
}

Status PostgresConnection::Transact(const std::function<Status()>& work) {
  Status status;
  for (int tries = 0; tries < kMostTries; ++tries) {
    in_the_way_ = false;
    status = Retried([&]() -> Status {
      FOGLINE_CHECK(ExecuteHere("BEGIN"));
      transacting_ = true;
      Status done = work();
      transacting_ = false;
      if (done) done = ExecuteHere("COMMIT");
      if (!done && !lost()) {
        const bool in_the_way = in_the_way_;
        if (!ExecuteHere("ROLLBACK")) (void)Lost("");
        in_the_way_ = in_the_way;
      }
      return done;
    });
    if (status || !in_the_way_) return status;
  }
  return status;
}

Result<bool> PostgresConnection::AwaitNotification(Nanos at_most) {
  if (lost()) return Lost("is gone");
  const auto take = [this] {
    bool any = false;
    while (PGnotify* told = PQnotifies(connection_.get())) {
      PQfreemem(told);
      any = true;
    }
    return any;
  };
  if (take()) return true;
  pollfd readable{PQsocket(connection_.get()), POLLIN, 0};
  const auto wait = std::chrono::duration_cast<std::chrono::milliseconds>(at_most);
  if (poll(&readable, 1, static_cast<int>(wait.count())) <= 0) return false;
  if (PQconsumeInput(connection_.get()) == 0) return Lost(PQerrorMessage(connection_.get()));
  return take();
}

}  // namespace fogline
