#include "kappa/engine/order_key.h"

#include "kappa/engine/bytes.h"

namespace kappa {

void append_order_key(std::string& out, const Batch& batch, std::int64_t row) {
  append_ordered_i64(out, batch.progresses()[row]);
  append_u32_be(out, static_cast<std::uint32_t>(batch.inputs()[row]));
  if (batch.upstream_keys.size() > 0 && !batch.upstream_keys.is_null(row))
    out += batch.upstream_keys.bytes(row);
  else
    append_ordered_i64(out, batch.positions()[row]);
  append_u32_be(out, static_cast<std::uint32_t>(batch.indexes()[row]));
}

}  // namespace kappa
