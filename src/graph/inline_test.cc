// Local functions: a model with them is the model without them, layer by layer and bit by bit.
#include "graph/inline.h"

#include <gmock/gmock.h>
#include <google/protobuf/unknown_field_set.h>
#include <gtest/gtest.h>

#include <functional>

#include "engine/session.h"
#include "engine/shapes.h"
#include "engine/verify.h"
#include "graph/cut.h"
#include "graph/slice.h"
#include "graph/test_model.h"

namespace fogline {
namespace {

using test::SetInt;
using test::SetInts;
using test::TestModel;
using ::testing::HasSubstr;

/// Functions added to a model one by one.
class Functions {
 public:
  explicit Functions(TestModel& model) : model_(model) {
    auto* import = model.proto().add_opset_import();
    import->set_domain("local");
    import->set_version(1);
    model.proto().set_ir_version(8);
  }

  onnx::FunctionProto& Add(const std::string& name, const std::vector<std::string>& inputs,
                           const std::vector<std::string>& outputs) {
    auto* f = model_.proto().add_functions();
    f->set_domain("local");
    f->set_name(name);
    for (const auto& input : inputs) f->add_input(input);
    for (const auto& output : outputs) f->add_output(output);
    for (const auto& [domain, version] : {std::pair("", 13), {"local", 1}}) {
      auto* import = f->add_opset_import();
      import->set_domain(domain);
      import->set_version(version);
    }
    return *f;
  }

 private:
  TestModel& model_;
};

template <typename Owner>
onnx::NodeProto& AddNode(Owner& owner, const std::string& op,
                         const std::vector<std::string>& inputs,
                         const std::vector<std::string>& outputs, const std::string& domain = "") {
  auto* node = owner.add_node();
  node->set_op_type(op);
  node->set_domain(domain);
  for (const auto& input : inputs) node->add_input(input);
  for (const auto& output : outputs) node->add_output(output);
  return *node;
}

void Refer(onnx::NodeProto& node, const std::string& name, const std::string& parameter,
           onnx::AttributeProto::AttributeType type) {
  auto* attribute = node.add_attribute();
  attribute->set_name(name);
  attribute->set_type(type);
  attribute->set_ref_attr_name(parameter);
}

onnx::GraphProto& Branch(onnx::NodeProto& node, const std::string& name) {
  auto* attribute = node.add_attribute();
  attribute->set_name(name);
  attribute->set_type(onnx::AttributeProto::GRAPH);
  attribute->mutable_g()->set_name(name);
  return *attribute->mutable_g();
}

template <typename Message>
void SetUnknown(Message& message, int number, const std::string& text) {
  message.GetReflection()->MutableUnknownFields(&message)->AddLengthDelimited(number, text);
}

Result<Model> TryLoad(TestModel& model) {
  return Model::Parse(model.Bytes(), "functions", EngineShapes());
}

std::vector<std::string> Ops(const Model& model) {
  std::vector<std::string> ops;
  for (const auto& node : model.nodes()) ops.push_back(node.op);
  return ops;
}

Feeds RunBytes(std::span<const std::byte> bytes, const Feeds& given) {
  SessionOptions options;
  options.optimize = false;
  const auto session = OpenSession(bytes, "functions", options);
  EXPECT_TRUE(session) << session.error().ToString();
  std::vector<TensorView> views;
  for (const Port& port : (*session)->inputs()) views.push_back(given.at(port.name).view());
  const auto outputs = (*session)->Run(views).value();
  Feeds named;
  for (size_t i = 0; i < outputs.size(); ++i) {
    named[(*session)->outputs()[i].name] = outputs[i];
  }
  return named;
}

/// What the engine makes of the file with its functions, against the layers in their place.
void ExpectSameAsTheFile(const TestModel& file, const Model& model) {
  const Feeds feeds = RandomFeeds(model.inputs(), 5);
  const Feeds wanted = RunBytes(file.Bytes(), feeds);
  const std::string text = SliceWhole(model).value();
  const Feeds got = RunBytes(std::as_bytes(std::span(text.data(), text.size())), feeds);
  Difference difference;
  for (const auto& [name, tensor] : wanted) Compare(tensor, got.at(name), difference);
  EXPECT_TRUE(difference.identical) << difference.max_abs;
}

/// Every cut's halves against the whole.
void ExpectHalvesExact(const Model& model) {
  const std::vector<Cut> cuts = ListCuts(model).value();
  for (const Cut& cut : cuts) {
    Halves halves;
    if (!cut.is_cloud_only()) halves.edge_bytes = SlicePrefix(model, cut).value();
    if (!cut.is_edge_only()) halves.cloud_bytes = SliceSuffix(model, cut).value();
    const auto check = CheckSplit(model, cut, halves, {RandomFeeds(model.inputs(), 3)});
    ASSERT_TRUE(check) << cut.name << ": " << check.error().ToString();
    EXPECT_TRUE(check->exact.difference.identical)
        << cut.name << ": " << check->exact.difference.max_abs;
  }
}

/// conv(x, w) and relu, in a function that calls another one.
void AddConvBlock(Functions& functions) {
  auto& relu = functions.Add("Act", {"x"}, {"y"});
  AddNode(relu, "Relu", {"x"}, {"y"});
  auto& block = functions.Add("Block", {"x", "w", "b"}, {"y"});
  for (const char* parameter : {"stride", "pads"}) block.add_attribute(parameter);
  auto& conv = AddNode(block, "Conv", {"x", "w", "b"}, {"t"});
  Refer(conv, "strides", "stride", onnx::AttributeProto::INTS);
  Refer(conv, "pads", "pads", onnx::AttributeProto::INTS);
  AddNode(block, "Act", {"t"}, {"y"}, "local");
}

TEST(Inline, LayersCutsAndMaddsAreThoseOfTheModelWithoutFunctions) {
  TestModel model;
  Functions functions(model);
  AddConvBlock(functions);
  model.Input("x", {"1", "3", "16", "16"}).Weight("w1", {8, 3, 3, 3}).Weight("w2", {4, 8, 3, 3});
  model.Weight("b2", {4});
  auto& first = model.Node("Block", {"x", "w1"}, {"a"}, "first");  // no bias: an optional input
  first.set_domain("local");
  SetInts(first, "pads", {1, 1, 1, 1});  // and no stride: the attribute is left out
  auto& second = model.Node("Block", {"a", "w2", "b2"}, {"y"}, "second");
  second.set_domain("local");
  SetInts(second, "stride", {2, 2});
  model.Output("y");
  const auto loaded = TryLoad(model);
  ASSERT_TRUE(loaded) << loaded.error().ToString();

  TestModel plain;
  plain.Input("x", {"1", "3", "16", "16"}).Weight("w1", {8, 3, 3, 3}).Weight("w2", {4, 8, 3, 3});
  plain.Weight("b2", {4});
  SetInts(plain.Node("Conv", {"x", "w1"}, {"c1"}), "pads", {1, 1, 1, 1});
  plain.Node("Relu", {"c1"}, {"a"});
  SetInts(plain.Node("Conv", {"a", "w2", "b2"}, {"c2"}), "strides", {2, 2});
  plain.Node("Relu", {"c2"}, {"y"});
  plain.Output("y");
  const auto wanted = TryLoad(plain);
  ASSERT_TRUE(wanted) << wanted.error().ToString();

  EXPECT_EQ(Ops(*loaded), Ops(*wanted));
  EXPECT_EQ(loaded->madds(), wanted->madds());
  EXPECT_GT(loaded->madds(), 0);
  EXPECT_FALSE(loaded->madds_at_least());
  EXPECT_EQ(loaded->params(), wanted->params());
  const auto cuts = ListCuts(*loaded).value(), others = ListCuts(*wanted).value();
  ASSERT_EQ(cuts.size(), others.size());
  for (size_t i = 0; i < cuts.size(); ++i) {
    EXPECT_EQ(cuts[i].bytes, others[i].bytes);
    EXPECT_EQ(cuts[i].edge_madds, others[i].edge_madds);
  }
  ExpectHalvesExact(*loaded);
  ExpectSameAsTheFile(model, *loaded);
}

TEST(Inline, NamesInsideNeverMeetThoseOutsideOrOfAnotherCall) {
  TestModel model;
  Functions functions(model);
  auto& f = functions.Add("F", {"x"}, {"y"});
  AddNode(f, "Relu", {"x"}, {"t"});
  AddNode(f, "Neg", {"t"}, {"y"});
  model.Input("x", {"1", "4"});
  // Beside tensors and layers that are called as the inlined ones would be.
  model.Node("F", {"x"}, {"t"}, "f").set_domain("local");
  model.Node("F", {"t"}, {"y"}).set_domain("local");
  model.Node("Abs", {"y"}, {"f/t"}, "f/t");
  model.Node("F", {"f/t"}, {"z"}, "y").set_domain("local");
  model.Output("z");
  const auto loaded = TryLoad(model);
  ASSERT_TRUE(loaded) << loaded.error().ToString();
  EXPECT_EQ(loaded->nodes().size(), 7U);
  ExpectHalvesExact(*loaded);
  ExpectSameAsTheFile(model, *loaded);
  const auto again = TryLoad(model);  // cut ids are names: two loads must agree
  for (size_t i = 0; i < loaded->activations().size(); ++i) {
    EXPECT_EQ(loaded->activations()[i].port.name, again->activations()[i].port.name);
  }
}

TEST(Inline, OutputsMayBeUnusedPassedThroughOrGivenTwice) {
  TestModel model;
  Functions functions(model);
  auto& f = functions.Add("F", {"x", "least"}, {"y", "unused", "same"});
  AddNode(f, "Clip", {"x", "least"}, {"y"});
  AddNode(f, "Identity", {"x"}, {"same"});
  AddNode(f, "Neg", {"y"}, {"unused"});
  model.Input("x", {"1", "4"});
  model.Node("F", {"x", ""}, {"a", "", "same"}, "f").set_domain("local");
  model.Node("F", {"a"}, {"b"}, "g").set_domain("local");
  model.Node("Add", {"same", "b"}, {"y"});
  model.Output("y");
  const auto loaded = TryLoad(model);
  ASSERT_TRUE(loaded) << loaded.error().ToString();
  ExpectHalvesExact(*loaded);
  // The engine dies of the file itself: what it opens is the network as the graph has it.
  EXPECT_TRUE(OpenSession(*loaded));
}

// The format allows an input as an output, and inputs that nothing reads; the engine does not run
// them.
TEST(Inline, AnOutputMayBeAnInputAsItIs) {
  TestModel model;
  Functions functions(model);
  auto& f = functions.Add("F", {"x", "idle"}, {"x", "y", "y"});
  AddNode(f, "Relu", {"x"}, {"y"});
  model.Input("x", {"1", "4"});
  model.Node("F", {"x"}, {"same", "a", "b"}, "f").set_domain("local");
  model.Node("Sum", {"same", "a", "b"}, {"y"});
  model.Output("y");
  const auto loaded = TryLoad(model);
  ASSERT_TRUE(loaded) << loaded.error().ToString();
  EXPECT_EQ(Ops(*loaded), (std::vector<std::string>{"Relu", "Identity", "Identity", "Sum"}));
}

TEST(Inline, CallsInsideBranchesAndBranchesInsideFunctions) {
  TestModel model;
  Functions functions(model);
  AddConvBlock(functions);
  // A function whose branches read its input and its own tensors, and whose names shadow others'.
  auto& choose = functions.Add("Choose", {"x", "which"}, {"y"});
  AddNode(choose, "Relu", {"x"}, {"t"});
  auto& choice = AddNode(choose, "If", {"which"}, {"y"});
  auto& then = Branch(choice, "then_branch");
  AddNode(then, "Add", {"t", "x"}, {"r"});
  then.add_output()->set_name("r");
  auto& otherwise = Branch(choice, "else_branch");
  AddNode(otherwise, "Neg", {"t"}, {"r"});
  otherwise.add_output()->set_name("r");
  for (auto* branch : {&then, &otherwise}) {
    branch->mutable_output(0)->mutable_type()->mutable_tensor_type()->set_elem_type(1);
  }
  model.Input("x", {"1", "3", "8", "8"}).Input("which", {"1"}, onnx::TensorProto::BOOL);
  model.Weight("w", {3, 3, 3, 3});
  model.Node("Choose", {"x", "which"}, {"t"}, "c").set_domain("local");
  auto& outer = model.Node("If", {"which"}, {"r"}, "outer");
  auto& called = Branch(outer, "then_branch");
  auto& block = AddNode(called, "Block", {"t", "w"}, {"q"}, "local");
  SetInts(block, "pads", {1, 1, 1, 1});
  called.add_output()->set_name("q");
  auto& kept = Branch(outer, "else_branch");
  AddNode(kept, "Identity", {"t"}, {"p"});
  kept.add_output()->set_name("p");
  for (auto* branch : {&called, &kept}) {
    branch->mutable_output(0)->mutable_type()->mutable_tensor_type()->set_elem_type(1);
  }
  model.Node("Relu", {"r"}, {"y"});
  model.Output("y");
  const auto loaded = TryLoad(model);
  ASSERT_TRUE(loaded) << loaded.error().ToString();
  EXPECT_EQ(Ops(*loaded), (std::vector<std::string>{"Relu", "If", "If", "Relu"}));
  // The larger branch counts: a 3x3 convolution of 3 channels to 3, over 8x8.
  EXPECT_EQ(loaded->madds(), 3 * 3 * 9 * 64);
  EXPECT_FALSE(loaded->madds_at_least());
  ExpectHalvesExact(*loaded);
  ExpectSameAsTheFile(model, *loaded);
}

TEST(Inline, DefaultsOfAttributesAndOverloads) {
  constexpr int kNodeOverload = 8, kFunctionOverload = 13, kFunctionDefault = 11;
  TestModel model(13, 10);
  Functions functions(model);
  model.proto().set_ir_version(10);
  for (const char* overload : {"", "second"}) {
    auto& f = functions.Add("F", {"x"}, {"y"});
    if (*overload != 0) SetUnknown(f, kFunctionOverload, overload);
    onnx::AttributeProto slope;
    slope.set_name("slope");
    slope.set_type(onnx::AttributeProto::FLOAT);
    slope.set_f(0.5F);
    SetUnknown(f, kFunctionDefault, slope.SerializeAsString());
    auto& node = AddNode(f, *overload == 0 ? "LeakyRelu" : "Elu", {"x"}, {"y"});
    Refer(node, "alpha", "slope", onnx::AttributeProto::FLOAT);
  }
  model.Input("x", {"1", "4"});
  model.Node("F", {"x"}, {"a"}, "plain").set_domain("local");
  auto& second = model.Node("F", {"a"}, {"b"}, "second");
  second.set_domain("local");
  SetUnknown(second, kNodeOverload, "second");
  auto& given = model.Node("F", {"b"}, {"y"}, "given");
  given.set_domain("local");
  auto* slope = given.add_attribute();
  slope->set_name("slope");
  slope->set_type(onnx::AttributeProto::FLOAT);
  slope->set_f(0.25F);
  model.Output("y");
  const auto loaded = TryLoad(model);
  ASSERT_TRUE(loaded) << loaded.error().ToString();
  // ONNX Runtime up to 1.21 takes the last of two overloads for both, so that only the format
  // itself can be the judge.
  EXPECT_EQ(Ops(*loaded), (std::vector<std::string>{"LeakyRelu", "Elu", "LeakyRelu"}));
  onnx::ModelProto proto = model.proto();
  ASSERT_TRUE(InlineFunctions(proto, "m"));
  for (const auto& [node, alpha] : {std::pair(0, 0.5F), {1, 0.5F}, {2, 0.25F}}) {
    ASSERT_EQ(proto.graph().node(node).attribute_size(), 1);
    EXPECT_EQ(proto.graph().node(node).attribute(0).name(), "alpha");
    EXPECT_EQ(proto.graph().node(node).attribute(0).f(), alpha);
  }
}

TEST(Inline, AFunctionForOtherOperatorSetsStaysALayerAndIsSaidNotToBeCounted) {
  TestModel model(13);
  Functions functions(model);
  AddConvBlock(functions);
  for (auto& f : *model.proto().mutable_functions()) f.mutable_opset_import(0)->set_version(14);
  model.Input("x", {"1", "3", "8", "8"}).Weight("w", {4, 3, 1, 1});
  model.Node("Block", {"x", "w"}, {"a"}, "call").set_domain("local");
  model.Node("Relu", {"a"}, {"y"});
  model.Output("y");
  onnx::ModelProto proto = model.proto();
  ASSERT_TRUE(InlineFunctions(proto, "m"));
  EXPECT_EQ(proto.graph().node(0).op_type(), "Block");
  EXPECT_EQ(proto.functions_size(), 2);  // what it calls stays too
}

TEST(Inline, EndlessAndHugeFunctionsAreRefusedByName) {
  const auto error = [](const std::function<void(Functions&)>& add) {
    TestModel model;
    Functions functions(model);
    add(functions);
    model.Input("x", {"1", "4"});
    model.Node("F0", {"x"}, {"y"}, "f").set_domain("local");
    model.Output("y");
    const auto loaded = TryLoad(model);
    EXPECT_FALSE(loaded);
    return loaded ? std::string() : loaded.error().ToString();
  };
  EXPECT_THAT(error([](Functions& functions) {
                AddNode(functions.Add("F0", {"x"}, {"y"}), "F1", {"x"}, {"y"}, "local");
                AddNode(functions.Add("F1", {"x"}, {"y"}), "F0", {"x"}, {"y"}, "local");
              }),
              HasSubstr("function 'F0' calls itself"));
  EXPECT_THAT(error([](Functions& functions) {
                for (int i = 0; i < 40; ++i) {
                  const std::string next = "F" + std::to_string(i + 1);
                  auto& f = functions.Add("F" + std::to_string(i), {"x"}, {"y"});
                  AddNode(f, next, {"x"}, {"t"}, "local");
                  AddNode(f, next, {"t"}, {"y"}, "local");
                }
                AddNode(functions.Add("F40", {"x"}, {"y"}), "Relu", {"x"}, {"y"});
              }),
              HasSubstr("expands beyond all bounds"));
  EXPECT_THAT(error([](Functions& functions) {
                AddNode(functions.Add("F0", {"x"}, {"y"}), "Relu", {"x"}, {"t"});
              }),
              HasSubstr("does not make its output 'y'"));
  EXPECT_THAT(error([](Functions& functions) {
                AddNode(functions.Add("F0", {"x"}, {"y"}), "Relu", {"elsewhere"}, {"y"});
              }),
              HasSubstr("reads 'elsewhere', which nothing makes"));
}

}  // namespace
}  // namespace fogline
