// Settings of the image that need to know what the image has: its time zones, its locales, its links.
#pragma once

#include <string>

#include "imagebuild/boot/agent/place.h"

namespace domsmith::agent {

// /etc/localtime as a link below /usr/share/zoneinfo (localtime(5)); /etc/timezone only where the image has that file.
Outcome set_timezone(const std::string& root, const std::string& zone);

// Puts the line of /usr/share/i18n/SUPPORTED for this locale into /etc/locale.gen (locale.gen(5)). The caller runs
// locale-gen.
Outcome enable_locale(const std::string& root, const std::string& locale);

// The build lends the host's /etc/resolv.conf to the tree; a regular file of that name is that copy. A link is
// the image's own (systemd-resolved, resolvconf) and stays.
Outcome put_away_host_files(const std::string& root);

}  // namespace domsmith::agent
