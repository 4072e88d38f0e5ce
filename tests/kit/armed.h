// kappa/tests/kit/armed.h: an environment variable of engine/kill_point.h, set for a while.
#pragma once

#include <cstdlib>
#include <string>

namespace kappa::testkit {

/// A point that has fired does so again only under another value: KAPPA_FAULT=point:1 fails once in a process.
class Armed {
 public:
  Armed(const char* name, const std::string& value) : name_(name) { ::setenv(name, value.c_str(), 1); }
  Armed(const Armed&) = delete;
  Armed& operator=(const Armed&) = delete;
  ~Armed() { ::unsetenv(name_); }

 private:
  const char* name_;
};

}  // namespace kappa::testkit
