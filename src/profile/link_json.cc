#include "profile/link_json.h"

namespace fogline {

Json LinkJson(const LinkProfile& link) {
  return {{"name", link.name},
          {"title", link.title},
          {"up_mbps", link.up.value()},
          {"down_mbps", link.down.value()},
          {"rtt_ms", link.rtt.value()},
          {"loss", link.loss},
          {"euro_per_gb", link.price.value()},
          {"source", link.source}};
}

}  // namespace fogline
