#include "imagebuild/archive/sealed.h"

#include "base/worker.h"

namespace domsmith {

Result<StreamStats> read_archive_sealed(int fd, TreeSink& sink, const ArchiveLimits& limits, Progress& progress) {
  WorkerOptions options;
  options.keep = {fd};
  Worker reader = TRY(Worker::start(options, [fd, &limits](int out) -> Result<void> {
    SilentProgress silent;
    StreamSink stream(out);
    TRY(read_archive(fd, stream, limits, silent));
    return stream.finish();
  }));
  const StreamStats stats = TRY(receive_tree(reader, sink, progress, "archive"));
  progress.end("archive");
  return stats;
}

}  // namespace domsmith
