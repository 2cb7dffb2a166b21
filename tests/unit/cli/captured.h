// A FILE* whose bytes a test reads back.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>

namespace domsmith {

class Captured {
 public:
  Captured() : file_(::open_memstream(&bytes_, &size_)) {}
  ~Captured() {
    std::fclose(file_);
    std::free(bytes_);
  }
  Captured(const Captured&) = delete;
  Captured& operator=(const Captured&) = delete;

  [[nodiscard]] std::FILE* file() const { return file_; }
  [[nodiscard]] std::string text() const {
    std::fflush(file_);
    return {bytes_, size_};
  }

 private:
  char* bytes_ = nullptr;
  std::size_t size_ = 0;
  std::FILE* file_;
};

}  // namespace domsmith
