#include "base/write_behind.h"

#include <algorithm>
#include <csignal>
#include <system_error>
#include <utility>

#include "base/log.h"

namespace domsmith {

WriteBehind::~WriteBehind() {
  if (const auto left = settle(); !left) {
    log_info(left.error().what);
  }
  if (!thread_.joinable()) {
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

Result<void> WriteBehind::error_so_far() {
  const std::lock_guard lock(mutex_);
  return written_;
}

// Signals are for the thread that the program has anyway.
void WriteBehind::start() {
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    thread_ = std::thread(&WriteBehind::work, this);
  } catch (const std::system_error& error) {
    log_debug(error.what());  // no thread to be had: submit() writes itself
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void WriteBehind::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
    if (waiting_.empty()) {
      return;
    }
    Piece piece = std::move(waiting_.front());
    waiting_.pop_front();
    if (written_) {
      busy_ = true;
      lock.unlock();
      auto done = target_->write(piece.offset, piece.bytes);
      lock.lock();
      written_ = std::move(done);
      busy_ = false;
    }
    piece.bytes.clear();
    spare_.push_back(std::move(piece.bytes));
    changed_.notify_all();
  }
}

// Hands over what was gathered; waits while the thread is too far behind.
Result<void> WriteBehind::submit() {
  if (filling_.bytes.empty()) {
    return error_so_far();
  }
  if (!thread_.joinable()) {
    start();
  }
  std::unique_lock lock(mutex_);
  if (!thread_.joinable()) {
    written_ = written_ ? target_->write(filling_.offset, filling_.bytes) : written_;
    filling_.bytes.clear();
    return written_;
  }
  changed_.wait(lock, [this] { return waiting_.size() + (busy_ ? 1 : 0) + 1 < most_pieces; });
  waiting_.push_back(std::exchange(filling_, {}));
  if (!spare_.empty()) {
    filling_.bytes = std::move(spare_.back());
    spare_.pop_back();
  }
  changed_.notify_all();
  return written_;
}

Result<void> WriteBehind::write(std::uint64_t offset, std::span<const std::byte> from) {
  TRY(check_range(*this, offset, from.size()));
  while (!from.empty()) {
    const bool follows = filling_.offset + filling_.bytes.size() == offset;
    if (!filling_.bytes.empty() && (!follows || filling_.bytes.size() == piece_bytes)) {
      TRY(submit());
    }
    if (filling_.bytes.empty()) {
      filling_.offset = offset;
      filling_.bytes.reserve(piece_bytes);
    }
    const auto part = from.first(std::min(from.size(), piece_bytes - filling_.bytes.size()));
    filling_.bytes.insert(filling_.bytes.end(), part.begin(), part.end());
    offset += part.size();
    from = from.subspan(part.size());
  }
  return {};
}

Result<void> WriteBehind::settle() {
  TRY(submit());
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return waiting_.empty() && !busy_; });
  return written_;
}

Result<void> WriteBehind::read(std::uint64_t offset, std::span<std::byte> into) {
  TRY(settle());
  return target_->read(offset, into);
}

Result<void> WriteBehind::discard(std::uint64_t offset, std::uint64_t length) {
  TRY(settle());
  return target_->discard(offset, length);
}

Result<void> WriteBehind::flush() {
  TRY(settle());
  return target_->flush();
}

Result<std::optional<ByteRange>> WriteBehind::next_data(std::uint64_t offset) {
  TRY(settle());
  return target_->next_data(offset);
}

}  // namespace domsmith
