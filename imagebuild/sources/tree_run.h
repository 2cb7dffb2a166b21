// Brings the tree of a SourcePlan to a sink: unpacked into a folder in namespaces (namespaces.h), the recipe's steps
// run in it, and read again. What the host sees of it are bytes that are checked once more (tree/stream.h).
#pragma once

#include <filesystem>

#include "base/progress.h"
#include "base/result.h"
#include "imagebuild/sources/plan.h"
#include "imagebuild/tree/entry.h"

namespace domsmith::sources {

// `work`: an empty folder of the operation's own that the caller removes. The sink's finish() is left to the caller.
// Errors: denied where this user may not; bad_input for a source that is damaged or breaks a limit; not_found; a failed
// step's own.
Result<void> write_source_tree(const SourcePlan& plan, TreeSink& sink, Progress& progress,
                               const std::filesystem::path& work);

}  // namespace domsmith::sources
