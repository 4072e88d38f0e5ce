// kappa/service/messages.h: what the program says to people and to collectors of logs, a line each on standard error.
//
// Threads:  safe from any thread, once the format is set.
#pragma once

#include <cstdint>
#include <string>

namespace kappa {

enum class MessageLevel : std::uint8_t { info, warning, error };

struct MessageFormat {
  bool json = false;        // else "kappa: " and the text
  std::string application;  // application.id, where it is known
};

/// Of all messages from now on; to be called before there are other threads.
void set_message_format(MessageFormat format);
[[nodiscard]] const MessageFormat& message_format();
/// One line, or with json one object, whatever the text holds.
void tell(MessageLevel level, const std::string& text);

}  // namespace kappa
