#include "kappa/engine/log.h"

#include "kappa/engine/log/varint.h"

namespace kappa {

// The block's reader has checked every count and length, so none is checked again here.
std::vector<Header> headers_of(const RecordView& record) {
  std::int64_t count = 0;
  const char* p = detail::read_varint(record.headers_data, count);
  std::vector<Header> headers;
  headers.reserve(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) {
    std::int64_t size = 0;
    p = detail::read_varint(p, size);
    Header header{{p, static_cast<std::size_t>(size)}, {}, false};
    p = detail::read_varint(p + size, size);
    header.value_is_null = size < 0;
    if (size > 0) header.value = {p, static_cast<std::size_t>(size)};
    if (size > 0) p += size;
    headers.push_back(header);
  }
  return headers;
}

}  // namespace kappa
