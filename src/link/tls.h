// TLS to a broker: what it is checked against, and what its failures mean.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "base/result.h"
#include "link/link.h"

namespace fogline {

struct TlsContextDelete {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using TlsContext = std::unique_ptr<SSL_CTX, TlsContextDelete>;
struct TlsDelete {
  void operator()(SSL* tls) const { SSL_free(tls); }
};
using Tls = std::unique_ptr<SSL, TlsDelete>;

/// From --ca (the system's authorities without), --cert and --key. kUsage, naming the file, when
/// one cannot be used.
Result<TlsContext> NewTlsContext(const LinkOptions& options);
/// A client that checks chain, use and name (`host`, or an address) of who answers. None when
/// memory is short.
Tls NewTls(SSL_CTX& context, const std::string& host);
/// Why the last call on `tls`, which gave `result`, failed: in words, with what to do where
/// something can be done. Empties the thread's queue of errors.
std::string WhyTlsFailed(SSL& tls, int result, const std::string& host);

}  // namespace fogline
