// Cuts a model in two and runs both halves on a picture, as two machines would.
#include <fogline/halves.h>

#include <cstdio>

int main(int argc, char** argv) try {
  if (argc != 4) {
    std::fprintf(stderr, "usage: split_and_run MODEL.onnx PICTURE.jpg CUT\n");
    return 2;
  }
  const fogline::Model model = fogline::Model::Load(argv[1]).value();
  const fogline::Cut cut = model.FindCut(argv[3]).value();
  const fogline::Halves halves = fogline::Split(model, cut).value();
  const fogline::Session edge = halves.edge.Open().value(), cloud = halves.cloud.Open().value();

  const fogline::Picture picture = model.ReadPicture(argv[2]).value();
  const std::vector<fogline::Tensor> crossing = edge.Run({picture.input.view()}).value();
  std::vector<fogline::TensorView> arrived;
  for (const fogline::Tensor& tensor : crossing) arrived.push_back(tensor.view());
  const std::vector<fogline::Tensor> outputs = cloud.Run(arrived).value();

  const fogline::Findings found = model.Judge(outputs, picture).value();
  std::printf("%s (%.3f); %lld bytes crossed at %s\n", found.label.c_str(), found.score,
              static_cast<long long>(cut.bytes), cut.name.c_str());
} catch (const fogline::Failure& failure) {
  std::fprintf(stderr, "split_and_run: %s\n", failure.what());
  return 1;
}
