#include "store/server_health.h"

#include "base/log.h"

namespace fogline {

void ServerHealth::Back(const std::string& where) {
  if (lost_.exchange(false)) LogInfo("{}: connected again", where);
}

}  // namespace fogline
