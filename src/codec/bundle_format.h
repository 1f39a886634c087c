// The numbers of the bundle's file format, shared by its reader and its writer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace fogline {

// Header: magic, u16 version, u16 zero, 32 bytes of model hash. Then sections of u32 type, u32
// length and that many bytes, in any order. The last 32 bytes are the SHA-256 of all before them.
constexpr std::string_view kBundleMagic = "FOGB";
constexpr uint16_t kBundleVersion = 1;
constexpr size_t kBundleHeaderBytes = 4 + 2 + 2 + 32;

/// A reader skips types that it does not know.
enum class BundleSection : uint32_t {
  kInfo = 1,    // UTF-8 JSON: the calibration table, for the planner and for people
  kTensor = 2,  // one tensor's quantiser: Write(QuantParams)
};

}  // namespace fogline
