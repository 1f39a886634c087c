// Flags that several commands share, and what they become.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "base/result.h"
#include "link/link.h"
#include "store/store.h"

namespace fogline::cli {

/// --broker, --ca, --cert, --key.
struct LinkFlags {
  std::string broker = "mqtt://127.0.0.1:1883";
  std::string ca, cert, key;
};
void AddLinkFlags(CLI::App& command, LinkFlags& flags);
Result<LinkOptions> ToLinkOptions(const LinkFlags& flags);

}  // namespace fogline::cli
