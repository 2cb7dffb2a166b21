#include "provision/recovery/recover.h"

#include <fmt/format.h>

#include <optional>

#include "provision/guests/batch.h"
#include "provision/images/make_image.h"

namespace domsmith {

namespace {

Result<std::string> recover_one(Workplace& place, Operation& operation, Progress& progress) {
  if (is_image_operation(operation.verb())) {
    return recover_image_operation(place, operation);
  }
  if (is_guest_operation(operation.verb())) {
    return recover_guest_operation(place, operation, progress);
  }
  return fail(ErrorCode::unsupported,
              fmt::format("the journal holds an operation '{}' that is not known here", operation.verb()),
              "it was begun by a newer domsmith: recover with that one");
}

}  // namespace

Result<std::vector<RecoveredOperation>> recover(Workplace& place, Progress& progress) {
  std::vector<RecoveredOperation> recovered;
  std::optional<Error> failure;
  for (Operation& operation : TRY(place.journal.abandoned())) {
    const std::string id = operation.id();
    const std::string verb = operation.verb();
    auto outcome = recover_one(place, operation, progress);
    if (outcome) {
      TRY(operation.finish());
      recovered.push_back({id, verb, std::move(*outcome)});
    } else if (!failure) {
      failure = std::move(outcome.error()).because_of(fmt::format("cannot recover a {} that died", verb));
    }
  }
  if (failure) {
    return std::unexpected(std::move(*failure));
  }
  return recovered;
}

}  // namespace domsmith
