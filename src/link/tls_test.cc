// A link over TLS to real brokers that are down, lie about who they are, or want to know who we
// are.
#include "link/tls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>

#include "base/certificates.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/process.h"
#include "servers/local_broker.h"

namespace fogline {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

class Connects final : public LinkHandler {
 public:
  void OnConnected() override { Count(connects); }
  void OnDisconnected() override { Count(losses); }
  void OnMessage(const Message&) override {}
  bool Wait(const int& counter, int at_least, Nanos most = 20s) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, most, [&] { return counter >= at_least; });
  }
  int connects = 0, losses = 0;

 private:
  void Count(int& counter) {
    const std::lock_guard lock(mutex_);
    ++counter;
    changed_.notify_all();
  }
  std::mutex mutex_;
  std::condition_variable changed_;
};

Nanos CpuTime() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto nanos = [](const timeval& t) {
    return std::chrono::seconds(t.tv_sec) + std::chrono::microseconds(t.tv_usec);
  };
  return nanos(used.ru_utime) + nanos(used.ru_stime);
}

class TlsLink : public ::testing::Test {
 protected:
  void SetUp() override {
    Make("ca", {CertificateUse::kAuthority, "authority", {}, 10});
    Make("other", {CertificateUse::kAuthority, "another authority", {}, 10});
    Make("broker", {CertificateUse::kServer, "broker", {"localhost", "127.0.0.1"}, 10});
    Make("elsewhere", {CertificateUse::kServer, "broker", {"example.org"}, 10});
    Make("expired", {CertificateUse::kServer, "broker", {"localhost", "127.0.0.1"}, -1});
    Make("device", {CertificateUse::kClient, "device", {}, 10});
    Make("stale", {CertificateUse::kClient, "stale", {}, -1});
  }
  void Make(const std::string& name, const CertificateOptions& options) {
    const bool own = options.use == CertificateUse::kAuthority;
    const Status made =
        MakeCertificate(File(name), options, own ? std::filesystem::path() : File("ca"));
    ASSERT_TRUE(made) << made.error().ToString();
  }
  std::filesystem::path File(const std::string& name) const { return dir_.path() / name; }

  std::string Config(const std::string& certificate, bool asks = false) const {
    return "cafile " + File("ca").string() + ".crt\ncertfile " + File(certificate).string() +
           ".crt\nkeyfile " + File(certificate).string() + ".key\n" +
           (asks ? "require_certificate true\n" : "");
  }
  LinkOptions Options(int port, const std::string& ca = "ca", const std::string& mine = "") const {
    LinkOptions options;
    options.name = "test";
    options.broker = *ParseBroker("mqtts://127.0.0.1:" + std::to_string(port));
    options.ca_file = File(ca).string() + ".crt";
    if (!mine.empty()) {
      options.cert_file = File(mine).string() + ".crt";
      options.key_file = File(mine).string() + ".key";
    }
    return options;
  }
  /// What a link says when it does not get through.
  std::string Complaint(const LinkOptions& options) {
    testing::internal::CaptureStderr();
    Connects handler;
    auto link = Link::Make(options, handler);
    EXPECT_TRUE(link) << link.error().ToString();
    (*link)->Start();
    std::string said;
    const Nanos deadline = Clock::Real().Steady() + 20s;
    while (said.find("trying again") == said.npos && Clock::Real().Steady() < deadline) {
      (void)handler.Wait(handler.connects, 1, 20ms);
      said += testing::internal::GetCapturedStderr();
      testing::internal::CaptureStderr();
    }
    (*link)->Stop();
    testing::internal::GetCapturedStderr();
    return said;
  }
  TempDir dir_;
};

// Four tries or so, and hardly any work: a battery pays for each turn of a loop that does not wait.
TEST_F(TlsLink, ABrokerThatIsDownCostsNothingAndIsFoundWhenItIsBack) {
  const int port = FreePort();
  Connects handler;
  auto link = Link::Make(Options(port), handler);
  ASSERT_TRUE(link) << link.error().ToString();
  const Nanos cpu = CpuTime();
  const Nanos start = Clock::Real().Steady();
  (*link)->Start();
  EXPECT_FALSE(handler.Wait(handler.connects, 1, 1500ms));
  const Nanos spent = CpuTime() - cpu, waited = Clock::Real().Steady() - start;
  EXPECT_LT(spent * 10, waited) << Millis(spent) << " ms of CPU in " << Millis(waited);
  auto broker = LocalBroker::Start(port, Config("broker"));
  ASSERT_TRUE(broker) << broker.error().ToString();
  EXPECT_TRUE(handler.Wait(handler.connects, 1));
  ASSERT_TRUE((*broker)->Restart());
  EXPECT_TRUE(handler.Wait(handler.losses, 1) && handler.Wait(handler.connects, 2));
}

TEST_F(TlsLink, ABrokersCertificateIsRefusedWithTheReason) {
  const struct {
    const char *certificate, *ca, *words;
  } cases[] = {{"expired", "ca", "its certificate has expired"},
               {"elsewhere", "ca", "made out to another name than '127.0.0.1'"},
               {"broker", "other", "of an unknown authority (check --ca)"},
               {"device", "ca", "not a server's"}};
  for (const auto& c : cases) {
    auto broker = LocalBroker::Start(0, Config(c.certificate));
    ASSERT_TRUE(broker) << broker.error().ToString();
    EXPECT_THAT(Complaint(Options((*broker)->port(), c.ca)), HasSubstr(c.words));
  }
  auto clear = LocalBroker::Start();
  ASSERT_TRUE(clear) << clear.error().ToString();
  EXPECT_THAT(Complaint(Options((*clear)->port())),
              ::testing::AnyOf(HasSubstr("does not speak TLS"), HasSubstr("ended the connection"),
                               HasSubstr("reset by peer")));
}

TEST_F(TlsLink, FilesThatCannotBeUsedAreNamedAtOnce) {
  Connects handler;
  const auto error = [&](const LinkOptions& options) {
    const auto link = Link::Make(options, handler);
    EXPECT_FALSE(link);
    if (link) return std::string();
    EXPECT_EQ(link.error().code, ErrorCode::kUsage);
    return link.error().ToString();
  };
  EXPECT_THAT(error(Options(1, "nowhere")), HasSubstr("nowhere.crt: cannot be used as --ca"));
  LinkOptions crossed = Options(1, "ca", "device");
  crossed.key_file = File("stale").string() + ".key";
  EXPECT_THAT(error(crossed), HasSubstr("stale.key: cannot be used as --key"));
  crossed.key_file.clear();
  EXPECT_THAT(error(crossed), HasSubstr("go together"));
}

TEST_F(TlsLink, WhoIsKnownGetsIn) {
  auto broker = LocalBroker::Start(0, Config("broker", true));
  ASSERT_TRUE(broker) << broker.error().ToString();
  Connects handler;
  auto link = Link::Make(Options((*broker)->port(), "ca", "device"), handler);
  ASSERT_TRUE(link) << link.error().ToString();
  (*link)->Start();
  EXPECT_TRUE(handler.Wait(handler.connects, 1));
  (*link)->Stop();
  EXPECT_THAT(Complaint(Options((*broker)->port(), "ca", "stale")),
              ::testing::AnyOf(HasSubstr("this side's certificate"), HasSubstr("reset by peer"),
                               HasSubstr("ended the connection")));
}

}  // namespace
}  // namespace fogline
