// What is in an image, for people and programs: the verbs of image_commands.cc that look into its file system.
#pragma once

#include <string>

#include "provision/cli/site.h"

namespace domsmith {

Result<void> show_packages(CliContext& cli, const std::string& name);
Result<void> show_bill(CliContext& cli, const std::string& name);
Result<void> diff_images(CliContext& cli, const std::string& before, const std::string& after);

}  // namespace domsmith
