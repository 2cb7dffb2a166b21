#include "provision/domain/xl_settings.h"

#include "base/file.h"
#include "provision/domain/config_reader.h"

namespace domsmith {

Result<XlSettings> read_xl_settings(const std::filesystem::path& file) {
  const auto text = read_file(file, 1U << 20);
  if (!text) {
    return text.error().code == ErrorCode::not_found ? Result<XlSettings>{} : std::unexpected(text.error());
  }
  auto reader = TRY(ConfigReader::parse(*text, file.string()));
  XlSettings settings;
  settings.vif_bridge = TRY(reader.string("vif.default.bridge")).value_or("");
  settings.vif_script = TRY(reader.string("vif.default.script")).value_or("");
  const auto balloon = TRY(reader.string("autoballoon")).value_or("auto");
  if (balloon == "on" || balloon == "1") {
    settings.autoballoon = true;
  } else if (balloon == "off" || balloon == "0") {
    settings.autoballoon = false;
  }
  return settings;
}

}  // namespace domsmith
