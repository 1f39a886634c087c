// fogline keys: the certificates of a fleet, from an authority of its own.
#include <fmt/format.h>

#include <filesystem>

#include "base/certificates.h"
#include "base/json.h"
#include "base/paths.h"
#include "cli/command.h"
#include "frame/frame.h"

namespace fogline::cli {
namespace {

constexpr int kAuthorityDays = 3650;

struct KeysArgs {
  Common common;
  std::string folder;
  std::vector<std::string> hosts{"localhost", "127.0.0.1", "::1"};
  std::vector<std::string> devices, revoked;
  int days = 825;
};

/// Some names are taken: the broker gives "cloud" the rights of a worker.
Status CheckNames(const std::string& flag, const std::vector<std::string>& devices) {
  for (const std::string& device : devices) {
    if (!IsDeviceName(device) || device == "ca" || device == "broker" || device == "cloud") {
      return Fail(
          ErrorCode::kUsage, flag + device,
          "is no device name: use 1 to {} of A-Z a-z 0-9 . _ -, and not ca, broker or cloud",
          Frame::kMaxDeviceName);
    }
  }
  return {};
}

/// Puts the devices' certificates on the authority's list and aside, so that a device that takes
/// the place of a lost one may have its name. Makes the list where there is none. How many there
/// were.
Result<size_t> TakeBack(const std::filesystem::path& folder,
                        const std::vector<std::string>& devices) {
  std::vector<std::filesystem::path> certificates;
  for (const std::string& device : devices) {
    const auto certificate = folder / "devices" / (device + ".crt");
    if (!Exists(certificate)) {
      return Fail(ErrorCode::kNotFound, certificate.string(),
                  "is not there, so nothing is revoked");
    }
    certificates.push_back(certificate);
  }
  if (certificates.empty() && Exists(folder / "ca.crl")) return 0;
  FOGLINE_CHECK(Revoke(folder / "ca", certificates));
  for (std::filesystem::path certificate : certificates) {
    std::error_code error;
    std::filesystem::rename(certificate, certificate.string() + ".revoked", error);
    if (error) return Fail(ErrorCode::kExhausted, certificate.string(), "{}", error.message());
    std::filesystem::remove(certificate.replace_extension(".key"), error);
  }
  return certificates.size();
}

Status MakeKeys(const KeysArgs& args) {
  const std::filesystem::path folder = args.folder;
  FOGLINE_CHECK(CheckNames("--device ", args.devices));
  FOGLINE_CHECK(CheckNames("--revoke ", args.revoked));
  std::error_code error;
  std::filesystem::create_directories(folder / "devices", error);
  if (error) return Fail(ErrorCode::kNotFound, folder.string(), "{}", error.message());
  auto made = Json::array();
  const auto make = [&](const std::string& stem, const CertificateOptions& options) -> Status {
    if (Exists(folder / (stem + ".crt"))) return {};  // kept
    FOGLINE_CHECK(MakeCertificate(folder / stem, options, folder / "ca"));
    made.push_back((folder / (stem + ".crt")).string());
    if (!args.common.json) fmt::print("{}\n", made.back().get<std::string>());
    return {};
  };
  FOGLINE_CHECK(make("ca", {CertificateUse::kAuthority, "Fogline authority", {}, kAuthorityDays}));
  FOGLINE_CHECK(make("broker", {CertificateUse::kServer, "broker", args.hosts, args.days}));
  FOGLINE_CHECK(make("cloud", {CertificateUse::kClient, "cloud", {}, args.days}));
  for (const std::string& device : args.devices) {
    FOGLINE_CHECK(make("devices/" + device, {CertificateUse::kClient, device, {}, args.days}));
  }
  FOGLINE_TRY(const size_t revoked, TakeBack(folder, args.revoked));
  if (args.common.json) {
    fmt::print("{}\n",
               Dump(Json{{"folder", folder.string()}, {"made", made}, {"revoked", args.revoked}}));
  } else if (revoked > 0) {
    fmt::print("{}: copy it to the broker and send that SIGHUP\n", (folder / "ca.crl").string());
  } else if (made.empty()) {
    fmt::print("{}: everything is there already\n", folder.string());
  }
  return {};
}

}  // namespace

void AddKeys(CommandLine& line) {
  auto args = std::make_shared<KeysArgs>();
  Command command = line.Add("keys",
                             "Makes the certificates of a fleet, authority, broker, cloud and "
                             "devices, and takes them back");
  AddCommon(command, args->common);
  command
      .Add("folder", args->folder,
           "where they go; what is there already is kept, so that devices can be added")
      .Required();
  command.Add("--broker", args->hosts, "names and addresses that the broker answers to")
      .ShowDefault();
  command.Add("--device", args->devices, "devices, by the names they run under");
  command.Add("--revoke", args->revoked,
              "devices whose certificates are taken back: put on the list ca.crl, for the broker");
  command.Add("--days", args->days, "how long they are valid").Range(1, 3650).ShowDefault();
  command
      .Example("fogline keys keys --broker broker.example --device cam-1 cam-2",
               "authority, broker, cloud and two devices, into the folder keys")
      .Example("fogline keys keys --revoke cam-2", "a device was stolen");
  SetAction(command, std::shared_ptr<Common>(args, &args->common),
            [args] { return MakeKeys(*args); });
}

}  // namespace fogline::cli
