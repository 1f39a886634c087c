#include "base/openssl.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include <cstdint>
#include <cstdlib>
#include <new>

#include "base/uncaught.h"

namespace fogline {
namespace {

thread_local bool sets_up = false;

void* Made(void* memory, size_t size) {
  if (memory == nullptr && size > 0 && sets_up) EndWithoutMemory();
  return memory;
}
void* Allocate(size_t size, const char* /*file*/, int /*line*/) {
  return Made(std::malloc(size), size);
}
void* Reallocate(void* old, size_t size, const char* /*file*/, int /*line*/) {
  return Made(std::realloc(old, size), size);
}
void Release(void* memory, const char* /*file*/, int /*line*/) { std::free(memory); }

bool InitOpenssl() {
  // Refused where somebody else has begun with it already, who has done what follows.
  CRYPTO_set_mem_functions(Allocate, Reallocate, Release);
  sets_up = true;
  ERR_clear_error();  // makes a place for this thread's errors
  constexpr uint64_t kAll = OPENSSL_INIT_LOAD_CRYPTO_STRINGS | OPENSSL_INIT_ADD_ALL_CIPHERS |
                            OPENSSL_INIT_ADD_ALL_DIGESTS | OPENSSL_INIT_LOAD_CONFIG;
  unsigned char nothing[EVP_MAX_MD_SIZE];
  const bool done = OSSL_LIB_CTX_get0_global_default() != nullptr &&
                    OPENSSL_init_crypto(kAll, nullptr) == 1 &&
                    EVP_Digest("", 0, nothing, nullptr, EVP_sha256(), nullptr) == 1;
  sets_up = false;
  return done;
}

}  // namespace

void SetUpOpenssl() {
  static const bool ready = InitOpenssl();
  if (!ready) throw std::bad_alloc();
}

}  // namespace fogline
