#include "engine/provider.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/session.h"
#include "engine/shapes.h"
#include "engine/verify.h"
#include "graph/test_model.h"

namespace fogline {
namespace {

using ::testing::HasSubstr;

TEST(Provider, IsANameWithOptionsAndSaysSo) {
  for (const char* text : {"", "cpu"}) {
    EXPECT_EQ(ParseProvider(text, "", "--provider").value(), Provider{}) << text;
  }
  for (const char* text : {"cuda", "tensorrt:device_id=1,trt_fp16_enable=1", "xnnpack:a=b=c"}) {
    const auto provider = ParseProvider(text, "", "--provider");
    ASSERT_TRUE(provider) << provider.error().ToString();
    EXPECT_EQ(provider->ToString(), text);
  }
  const auto cached = ParseProvider("tensorrt", "/var/cache/engines", "--provider");
  EXPECT_EQ(cached->cache, "/var/cache/engines");
  for (const char* bad :
       {"cudaa", "CUDA", "cpu:threads=2", "cuda:device_id", "cuda:=1", "cuda:,"}) {
    const auto refused = ParseProvider(bad, "", "--provider");
    ASSERT_FALSE(refused) << bad;
    EXPECT_EQ(refused.error().code, ErrorCode::kUsage);
    EXPECT_EQ(refused.error().where, "--provider");
  }
  EXPECT_THAT(ParseProvider("cudaa", "", "--provider").error().message,
              HasSubstr("cpu, coreml, cuda, dnnl"));
  EXPECT_EQ(ParseProvider("cuda", "/tmp", "--provider").error().where, "--provider-cache");
}

TEST(Provider, ComputesInSixteenBitsOnlyWhereItIsTold) {
  for (const auto& [text, coarse] : {std::pair("cuda", false),
                                     {"cuda:use_tf32=1", true},
                                     {"cuda:use_tf32=0", false},
                                     {"tensorrt:trt_fp16_enable=1", true},
                                     {"xnnpack", false},
                                     {"openvino:precision=FP16", true}}) {
    EXPECT_EQ(IsCoarse(ParseProvider(text, "", "--provider").value()), coarse) << text;
  }
}

/// Another network's session with one output off by `factor`, as a provider's would be.
class Off final : public Session {
 public:
  Off(Session& session, float factor) : session_(session), factor_(factor) {}
  const std::vector<Port>& inputs() const override { return session_.inputs(); }
  const std::vector<Port>& outputs() const override { return session_.outputs(); }
  size_t shared_bytes() const override { return 0; }
  std::string provider() const override { return "off"; }
  Result<std::vector<Tensor>> Run(std::span<const TensorView> inputs) override {
    FOGLINE_TRY(std::vector<Tensor> outputs, session_.Run(inputs));
    for (float& x : outputs[0].as<float>()) x *= factor_;
    return outputs;
  }

 private:
  Session& session_;
  const float factor_;
};

// Rounding is allowed, more is not: of 16 bits only where the provider was told to use them.
TEST(Provider, IsHeldAgainstTheProcessorByTheRulesForHalves) {
  test::TestModel m;
  m.Input("x", {"1", "3", "16", "16"}).Conv("x", "c", 3, 4);
  m.Node("Relu", {"c"}, {"y"});
  m.Output("y");
  const auto bytes = m.Bytes();
  const auto model = Model::Parse({bytes.begin(), bytes.end()}, "m", EngineShapes()).value();
  const auto session = OpenSession(bytes, "m").value();
  EXPECT_EQ(session->provider(), "cpu");
  const auto holds = [&](float factor, bool coarse) {
    Off off(*session, factor);
    return CheckSame(model, *session, off, coarse).value().holds();
  };
  EXPECT_TRUE(holds(1, false));
  EXPECT_TRUE(holds(1 + 1e-6F, false));
  EXPECT_FALSE(holds(1 + 1e-3F, false));
  EXPECT_TRUE(holds(1 + 1e-3F, true));
  EXPECT_FALSE(holds(1.1F, true));
  EXPECT_FALSE(holds(NAN, true));
}

}  // namespace
}  // namespace fogline
