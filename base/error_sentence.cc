#include "base/error_sentence.h"

#include "base/passwords.h"
#include "base/text.h"

namespace domsmith {

std::string error_sentence(const Error& error) {
  const std::string text = error.causes.empty() ? error.what : error.what + ": " + join(error.causes, ": ");
  return hide_passwords(text);
}

}  // namespace domsmith
