#include "link/tls.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <array>
#include <cerrno>
#include <system_error>

#include "base/openssl.h"

namespace fogline {
namespace {

tl::unexpected<Error> Unusable(const char* flag, const std::string& file) {
  const char* const why = ERR_reason_error_string(ERR_peek_error());
  ERR_clear_error();
  return Fail(ErrorCode::kUsage, file, "cannot be used as {}: {}", flag,
              why != nullptr ? why : "it does not go with the others");
}

/// What is wrong with the broker's certificate.
std::string WhyUnverified(long verdict, const std::string& host) {
  switch (verdict) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return "its certificate has expired";
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return "its certificate is not valid yet (is this machine's clock right?)";
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return fmt::format("its certificate is made out to another name than '{}'", host);
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
      return "its certificate is of an unknown authority (check --ca)";
    case X509_V_ERR_INVALID_PURPOSE:
      return "its certificate is not a server's";
    default:
      return fmt::format("its certificate is not accepted: {}",
                         X509_verify_cert_error_string(verdict));
  }
}

}  // namespace

Result<TlsContext> NewTlsContext(const LinkOptions& options) {
  SetUpOpenssl();
  ERR_clear_error();
  TlsContext context(SSL_CTX_new(TLS_client_method()));
  if (context == nullptr) return Fail(ErrorCode::kExhausted, "TLS", "no memory");
  SSL_CTX* const c = context.get();
  SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION);
  SSL_CTX_set_options(c, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(c, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                          SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_verify(c, SSL_VERIFY_PEER, nullptr);
  if (options.ca_file.empty()) {
    SSL_CTX_load_verify_dir(c, "/etc/ssl/certs");
  } else if (SSL_CTX_load_verify_file(c, options.ca_file.c_str()) != 1) {
    return Unusable("--ca", options.ca_file);
  }
  if (!options.cert_file.empty() &&
      SSL_CTX_use_certificate_chain_file(c, options.cert_file.c_str()) != 1) {
    return Unusable("--cert", options.cert_file);
  }
  if (!options.key_file.empty() &&
      SSL_CTX_use_PrivateKey_file(c, options.key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
    return Unusable("--key", options.key_file);
  }
  if (options.cert_file.empty() != options.key_file.empty()) {
    return Fail(ErrorCode::kUsage, options.cert_file + options.key_file,
                "--cert and --key go together");
  }
  return context;
}

Tls NewTls(SSL_CTX& context, const std::string& host) {
  Tls tls(SSL_new(&context));
  if (tls == nullptr) return tls;
  std::array<unsigned char, sizeof(in6_addr)> address{};
  const bool number = inet_pton(AF_INET, host.c_str(), address.data()) == 1 ||
                      inet_pton(AF_INET6, host.c_str(), address.data()) == 1;
  if (number) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls.get()), host.c_str());
  } else {
    SSL_set_tlsext_host_name(tls.get(), host.c_str());
    SSL_set1_host(tls.get(), host.c_str());
  }
  SSL_set_connect_state(tls.get());
  return tls;
}

std::string WhyTlsFailed(SSL& tls, int result, const std::string& host) {
  const int system = errno;
  const int kind = SSL_get_error(&tls, result);
  const unsigned long code = ERR_peek_error();
  const char* const words = ERR_reason_error_string(code);
  ERR_clear_error();
  if (kind == SSL_ERROR_ZERO_RETURN) return "ended the connection";
  if (kind == SSL_ERROR_SYSCALL) {
    return system != 0 ? std::generic_category().message(system) : "ended the connection";
  }
  switch (ERR_GET_REASON(code)) {
    case SSL_R_CERTIFICATE_VERIFY_FAILED:
      return WhyUnverified(SSL_get_verify_result(&tls), host);
    case SSL_R_UNEXPECTED_EOF_WHILE_READING:
      return "ended the connection";
    case SSL_R_WRONG_VERSION_NUMBER:
      return "does not speak TLS at this port";
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
      return "wants a certificate (--cert and --key)";
    case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
      return "refuses this side's certificate: it was revoked";
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
      return "refuses this side's certificate: it has expired";
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
      return "refuses this side's certificate: it is of an authority that the broker does not know";
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
      return "refuses this side's certificate";
    default:
      return fmt::format("TLS failed: {}", words != nullptr ? words : "without a reason");
  }
}

}  // namespace fogline
