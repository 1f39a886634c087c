// X.509 certificates for a fleet of one's own: an authority, and what it signs.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"

namespace fogline {

/// What a certificate may be used for; each is good for nothing else, so that a device that was
/// taken apart cannot pose as the broker.
enum class CertificateUse { kAuthority, kServer, kClient };

struct CertificateOptions {
  CertificateUse use = CertificateUse::kClient;
  std::string name;                // the common name; a client's is what the broker knows it by
  std::vector<std::string> hosts;  // names and IP addresses that a server answers to
  int days = 825;
};

/// Writes `stem`.key (readable by its owner alone) and `stem`.crt with a new key on P-256, signed
/// by the authority in `authority`.key and .crt, or by itself for an authority. kConflict when one
/// of the files is there already.
Status MakeCertificate(const std::filesystem::path& stem, const CertificateOptions& options,
                       const std::filesystem::path& authority = {});

/// Writes `authority`.crl anew: the list of what its authority takes back, with what was on it and
/// the certificates in `revoked`. Signed now and valid as long as the authority may be: a broker
/// that meets a list out of date lets nobody in. kInvalid when one is no certificate of the
/// authority's.
Status Revoke(const std::filesystem::path& authority,
              const std::vector<std::filesystem::path>& revoked);

/// Whose a certificate is, by its common name; empty where it cannot be read or has none.
std::string WhoseCertificate(const std::filesystem::path& certificate);

}  // namespace fogline
