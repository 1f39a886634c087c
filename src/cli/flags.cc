#include "cli/flags.h"

namespace fogline::cli {

void AddLinkFlags(CLI::App& command, LinkFlags& flags) {
  command
      .add_option("--broker", flags.broker,
                  "mqtt://[user:password@]host[:port], or mqtts:// for TLS")
      ->capture_default_str();
  command.add_option("--ca", flags.ca,
                     "certificate authority that signed the broker's certificate");
  command.add_option("--cert", flags.cert, "this side's certificate, for mutual TLS");
  command.add_option("--key", flags.key, "its private key");
}

Result<LinkOptions> ToLinkOptions(const LinkFlags& flags) {
  LinkOptions options;
  FOGLINE_TRY(options.broker, ParseBroker(flags.broker));
  options.ca_file = flags.ca;
  options.cert_file = flags.cert;
  options.key_file = flags.key;
  return options;
}

}  // namespace fogline::cli
