#include "kappa/engine/log.h"

#include "kappa/engine/log/varint.h"

namespace kappa {

namespace {
// The block's reader has checked every count and length, so none is checked again here.
template <class Each>
void for_each_header(const RecordView& record, Each each) {
  std::int64_t count = 0;
  const char* p = detail::read_varint(record.headers_data, count);
  for (std::int64_t i = 0; i < count; ++i) {
    std::int64_t size = 0;
    p = detail::read_varint(p, size);
    Header header{{p, static_cast<std::size_t>(size)}, {}, false};
    p = detail::read_varint(p + size, size);
    header.value_is_null = size < 0;
    if (size > 0) header.value = {p, static_cast<std::size_t>(size)};
    if (size > 0) p += size;
    each(header, count);
  }
}
}  // namespace

std::vector<Header> headers_of(const RecordView& record) {
  std::vector<Header> headers;
  for_each_header(record, [&](const Header& header, std::int64_t count) {
    if (headers.empty()) headers.reserve(static_cast<std::size_t>(count));
    headers.push_back(header);
  });
  return headers;
}

std::optional<Header> header_of(const RecordView& record, std::string_view name) {
  std::optional<Header> found;
  for_each_header(record, [&](const Header& header, std::int64_t) {
    if (header.name == name) found = header;
  });
  return found;
}

}  // namespace kappa
