// kappa/engine/order_key.h: a row's order key as bytes that compare as the keys do (docs/FORMAT.md, "Order key").
//
// Layout: progress (i64, ordered) | input (u32 BE) | position (i64, ordered) or the upstream order key | index (u32
// BE). Rows of one input have positions of one kind, so no key is a proper prefix of another of the same task.
#pragma once

#include <string>

#include "kappa/engine/batch.h"

namespace kappa {

void append_order_key(std::string& out, const Batch& batch, std::int64_t row);

}  // namespace kappa
