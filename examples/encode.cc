// What an activation takes on the wire: codes what crosses at a cut, and says how far it is off.
#include <fogline/codec.h>
#include <fogline/halves.h>

#include <cmath>
#include <cstdio>

int main(int argc, char** argv) try {
  if (argc != 6) {
    std::fprintf(stderr, "usage: encode MODEL.onnx MODEL.bundle PICTURE.jpg CUT CODEC\n");
    return 2;
  }
  const fogline::Model model = fogline::Model::Load(argv[1]).value();
  const fogline::Calibration calibration = fogline::Calibration::Load(model, argv[2]).value();
  const fogline::Cut cut = model.FindCut(argv[4]).value();
  const fogline::Codec codec = fogline::Codec::Make(argv[5], model, cut, 0, calibration).value();

  const fogline::Session edge = fogline::Split(model, cut).value().edge.Open().value();
  const fogline::Picture picture = model.ReadPicture(argv[3]).value();
  const fogline::Tensor made = edge.Run({picture.input.view()}).value().front();
  const std::vector<std::byte> code = codec.Encode(made.view()).value();
  const fogline::Tensor back = codec.Decode(code.data(), code.size()).value();

  double apart = 0, all = 0;
  for (size_t i = 0; i < made.bytes() / sizeof(float); ++i) {
    const double value = made.as<float>()[i], other = back.as<float>()[i];
    apart += (value - other) * (value - other);
    all += value * value;
  }
  std::printf("%s: %zu of %zu bytes, %.1f %% of the signal lost\n", argv[5], code.size(),
              made.bytes(), 100 * std::sqrt(apart / all));
} catch (const fogline::Failure& failure) {
  std::fprintf(stderr, "encode: %s\n", failure.what());
  return 1;
}
