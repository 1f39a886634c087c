#include "base/certificates.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <memory>

#include "base/openssl.h"

namespace fogline {
namespace {

template <auto free_function>
struct Free {
  template <typename T>
  void operator()(T* object) const {
    free_function(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Free<X509_free>>;
using File = std::unique_ptr<FILE, Free<fclose>>;

// Devices without a battery-backed clock start in the past.
constexpr long kBackdateSeconds = 30L * 24 * 3600;

std::filesystem::path With(const std::filesystem::path& stem, const char* suffix) {
  return stem.string() + suffix;
}

tl::unexpected<Error> Refused(const std::filesystem::path& path) {
  return Fail(ErrorCode::kInternal, path.string(), "OpenSSL cannot make it");
}

/// A new file, never an existing one.
Result<File> Create(const std::filesystem::path& path, mode_t mode) {
  const int fd = open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, mode);
  File file(fd < 0 ? nullptr : fdopen(fd, "w"));
  if (file != nullptr) return file;
  const int error = errno;
  return Fail(error == EEXIST ? ErrorCode::kConflict : ErrorCode::kNotFound, path.string(), "{}",
              std::generic_category().message(error));
}

bool Extend(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const std::unique_ptr<X509_EXTENSION, Free<X509_EXTENSION_free>> extension(
      X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  return extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1;
}

/// "DNS:broker.example,IP:10.0.0.1"; empty when a name would be more than a name.
std::string AlternativeNames(const std::vector<std::string>& hosts) {
  std::string names;
  for (const std::string& host : hosts) {
    if (host.empty() ||
        host.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                               "0123456789.-:*") != host.npos) {
      return {};
    }
    unsigned char address[16];
    const bool number = inet_pton(AF_INET, host.c_str(), address) == 1 ||
                        inet_pton(AF_INET6, host.c_str(), address) == 1;
    names += fmt::format("{}{}:{}", names.empty() ? "" : ",", number ? "IP" : "DNS", host);
  }
  return names;
}

bool AddExtensions(X509* certificate, X509* issuer, const CertificateOptions& options) {
  const bool authority = options.use == CertificateUse::kAuthority;
  const auto add = [&](int nid, const std::string& value) {
    return Extend(certificate, issuer, nid, value);
  };
  return add(NID_basic_constraints,
             authority ? "critical,CA:TRUE,pathlen:0" : "critical,CA:FALSE") &&
         add(NID_key_usage,
             authority ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature") &&
         (authority || add(NID_ext_key_usage,
                           options.use == CertificateUse::kServer ? "serverAuth" : "clientAuth")) &&
         (options.use != CertificateUse::kServer ||
          add(NID_subject_alt_name, AlternativeNames(options.hosts))) &&
         add(NID_subject_key_identifier, "hash") &&
         (authority || add(NID_authority_key_identifier, "keyid"));
}

bool SetName(X509* certificate, const std::string& name) {
  return X509_NAME_add_entry_by_NID(X509_get_subject_name(certificate), NID_commonName,
                                    MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(name.data()),
                                    static_cast<int>(name.size()), -1, 0) == 1;
}

bool SetSerial(X509* certificate) {
  unsigned char random[16];
  if (RAND_bytes(random, sizeof(random)) != 1) return false;
  random[0] &= 0x7f;  // positive
  const std::unique_ptr<BIGNUM, Free<BN_free>> number(BN_bin2bn(random, sizeof(random), nullptr));
  return BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

/// Who signs.
struct Authority {
  Key key;
  Certificate certificate;
};

Certificate ReadCertificate(const std::filesystem::path& path) {
  const File file(fopen(path.c_str(), "re"));
  return Certificate(file == nullptr ? nullptr
                                     : PEM_read_X509(file.get(), nullptr, nullptr, nullptr));
}

Result<Authority> ReadAuthority(const std::filesystem::path& stem) {
  Authority by;
  const File key_file(fopen(With(stem, ".key").c_str(), "re"));
  if (key_file != nullptr) {
    by.key.reset(PEM_read_PrivateKey(key_file.get(), nullptr, nullptr, nullptr));
  }
  by.certificate = ReadCertificate(With(stem, ".crt"));
  if (by.key == nullptr || by.certificate == nullptr ||
      X509_check_private_key(by.certificate.get(), by.key.get()) != 1) {
    return Fail(ErrorCode::kInvalid, stem.string(),
                ".key and .crt are no authority that could sign");
  }
  return by;
}

using RevocationList = std::unique_ptr<X509_CRL, Free<X509_CRL_free>>;

/// The list that is there, or an empty one of the authority's.
Result<RevocationList> ReadList(const std::filesystem::path& path, const Authority& by) {
  const File file(fopen(path.c_str(), "re"));
  RevocationList list(file == nullptr ? X509_CRL_new()
                                      : PEM_read_X509_CRL(file.get(), nullptr, nullptr, nullptr));
  const bool fine =
      list != nullptr &&
      (file != nullptr ? X509_CRL_verify(list.get(), X509_get0_pubkey(by.certificate.get())) == 1
                       : X509_CRL_set_version(list.get(), X509_CRL_VERSION_2) == 1 &&
                             X509_CRL_set_issuer_name(
                                 list.get(), X509_get_subject_name(by.certificate.get())) == 1);
  if (!fine) return Fail(ErrorCode::kInvalid, path.string(), "is no list of this authority's");
  return list;
}

/// Onto the list, unless it is there already.
bool AddRevoked(X509_CRL* list, X509* certificate) {
  X509_REVOKED* there = nullptr;
  if (X509_CRL_get0_by_cert(list, &there, certificate) == 1) return true;
  std::unique_ptr<X509_REVOKED, Free<X509_REVOKED_free>> entry(X509_REVOKED_new());
  const std::unique_ptr<ASN1_TIME, Free<ASN1_TIME_free>> now(X509_gmtime_adj(nullptr, 0));
  if (entry == nullptr || now == nullptr ||
      X509_REVOKED_set_serialNumber(entry.get(), X509_get_serialNumber(certificate)) != 1 ||
      X509_REVOKED_set_revocationDate(entry.get(), now.get()) != 1 ||
      X509_CRL_add0_revoked(list, entry.get()) != 1) {
    return false;
  }
  (void)entry.release();  // the list's now
  return true;
}

}  // namespace

Status MakeCertificate(const std::filesystem::path& stem, const CertificateOptions& options,
                       const std::filesystem::path& authority) {
  if (options.use == CertificateUse::kServer && AlternativeNames(options.hosts).empty()) {
    return Fail(ErrorCode::kUsage, stem.string(), "needs the names that the server answers to");
  }
  SetUpOpenssl();
  const Key key(EVP_EC_gen("P-256"));
  const Certificate certificate(X509_new());
  if (key == nullptr || certificate == nullptr) return Refused(stem);
  Authority by;
  if (options.use != CertificateUse::kAuthority) {
    FOGLINE_TRY(by, ReadAuthority(authority));
  }
  X509* const signer = by.certificate != nullptr ? by.certificate.get() : certificate.get();
  const bool made =
      X509_set_version(certificate.get(), X509_VERSION_3) == 1 && SetSerial(certificate.get()) &&
      X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -kBackdateSeconds) != nullptr &&
      X509_time_adj_ex(X509_getm_notAfter(certificate.get()), options.days, 0, nullptr) !=
          nullptr &&
      SetName(certificate.get(), options.name) &&
      X509_set_issuer_name(certificate.get(), X509_get_subject_name(signer)) == 1 &&
      X509_set_pubkey(certificate.get(), key.get()) == 1 &&
      AddExtensions(certificate.get(), signer, options) &&
      X509_sign(certificate.get(), by.key != nullptr ? by.key.get() : key.get(), EVP_sha256()) > 0;
  if (!made) return Refused(stem);
  FOGLINE_TRY(const File key_file, Create(With(stem, ".key"), 0600));
  FOGLINE_TRY(const File certificate_file, Create(With(stem, ".crt"), 0644));
  if (PEM_write_PrivateKey(key_file.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1 ||
      PEM_write_X509(certificate_file.get(), certificate.get()) != 1 ||
      fflush(key_file.get()) != 0 || fflush(certificate_file.get()) != 0) {
    return Fail(ErrorCode::kExhausted, stem.string(), "cannot be written");
  }
  return {};
}

Status Revoke(const std::filesystem::path& authority,
              const std::vector<std::filesystem::path>& revoked) {
  const std::filesystem::path path = With(authority, ".crl");
  FOGLINE_TRY(const Authority by, ReadAuthority(authority));
  FOGLINE_TRY(const RevocationList list, ReadList(path, by));
  for (const std::filesystem::path& one : revoked) {
    const Certificate certificate = ReadCertificate(one);
    if (certificate == nullptr ||
        X509_verify(certificate.get(), X509_get0_pubkey(by.certificate.get())) != 1) {
      return Fail(ErrorCode::kInvalid, one.string(), "is no certificate of this authority's");
    }
    if (!AddRevoked(list.get(), certificate.get())) return Refused(path);
  }
  const std::unique_ptr<ASN1_TIME, Free<ASN1_TIME_free>> since(
      X509_gmtime_adj(nullptr, -kBackdateSeconds));
  const bool made =
      since != nullptr && X509_CRL_set1_lastUpdate(list.get(), since.get()) == 1 &&
      X509_CRL_set1_nextUpdate(list.get(), X509_get0_notAfter(by.certificate.get())) == 1 &&
      X509_CRL_sort(list.get()) == 1 && X509_CRL_sign(list.get(), by.key.get(), EVP_sha256()) > 0;
  if (!made) return Refused(path);
  // Beside it and then in its place: a broker may read it meanwhile.
  const std::filesystem::path beside = With(path, ".new");
  std::error_code ignored;
  std::filesystem::remove(beside, ignored);
  {
    FOGLINE_TRY(const File file, Create(beside, 0644));
    if (PEM_write_X509_CRL(file.get(), list.get()) != 1 || fflush(file.get()) != 0 ||
        fsync(fileno(file.get())) != 0) {
      return Fail(ErrorCode::kExhausted, beside.string(), "cannot be written");
    }
  }
  std::error_code error;
  std::filesystem::rename(beside, path, error);
  if (error) return Fail(ErrorCode::kExhausted, path.string(), "{}", error.message());
  return {};
}

std::string WhoseCertificate(const std::filesystem::path& certificate) {
  SetUpOpenssl();
  const Certificate read = ReadCertificate(certificate);
  char name[256] = "";
  if (read != nullptr) {
    X509_NAME_get_text_by_NID(X509_get_subject_name(read.get()), NID_commonName, name,
                              sizeof(name));
  }
  return name;
}

}  // namespace fogline
