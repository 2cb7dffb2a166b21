// Small things that both /init programs say and read.
#pragma once

#include <string>

namespace domsmith::agent {

// "WHAT: No such file or directory", by errno.
std::string error_text(const std::string& what);

// A file to its end, such as one of /proc; empty where it cannot be read.
std::string read_text(const char* path);

// mount(2) at a folder that is made where it is missing; what is mounted there already is fine. Why not, or nothing.
std::string mount_at(const char* what, const char* where, const char* type, unsigned long flags, const char* data);

}  // namespace domsmith::agent
