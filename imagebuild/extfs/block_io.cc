#include "imagebuild/extfs/block_io.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <vector>

namespace domsmith::extfs {
namespace {

constexpr std::size_t most_pages = 4096;  // 16 MiB; beyond them the cache is written back and emptied
constexpr std::size_t most_run = 256;     // pages in one write

}  // namespace

Result<void> BlockIo::check_range(std::uint64_t offset, std::uint64_t length) const {
  if (offset > target_->size() || length > target_->size() - offset) {
    return fail(ErrorCode::failed,
                fmt::format("{} bytes at {} lie behind the end of {}", length, offset, target_->name()),
                "the file system is larger than what holds it, or damaged: check it with e2fsck");
  }
  return {};
}

// The last page of a target may be shorter than the others.
std::size_t BlockIo::page_size(std::uint64_t number) const {
  return static_cast<std::size_t>(std::min<std::uint64_t>(page_bytes, target_->size() - number * page_bytes));
}

Result<BlockIo::Page*> BlockIo::page(std::uint64_t number) {
  if (auto found = pages_.find(number); found != pages_.end()) {
    return found->second.get();
  }
  if (pages_.size() >= most_pages) {
    TRY(drop());
  }
  auto fresh = std::make_unique_for_overwrite<Page>();
  TRY(target_->read(number * page_bytes, std::span(fresh->bytes).first(page_size(number))));
  return pages_.emplace(number, std::move(fresh)).first->second.get();
}

Result<void> BlockIo::read(std::uint64_t offset, std::span<std::byte> into) {
  TRY(check_range(offset, into.size()));
  while (!into.empty()) {
    const std::size_t inside = offset % page_bytes;
    const std::size_t length = std::min(into.size(), page_bytes - inside);
    Page* from = TRY(page(offset / page_bytes));
    std::memcpy(into.data(), from->bytes.data() + inside, length);
    into = into.subspan(length);
    offset += length;
  }
  return {};
}

Result<void> BlockIo::write(std::uint64_t offset, std::span<const std::byte> from) {
  if (!writable_) {
    return fail(ErrorCode::denied, fmt::format("{} is open for reading only", target_->name()));
  }
  TRY(check_range(offset, from.size()));
  while (!from.empty()) {
    const std::size_t inside = offset % page_bytes;
    const std::size_t length = std::min(from.size(), page_bytes - inside);
    Page* into = TRY(page(offset / page_bytes));
    if (std::memcmp(into->bytes.data() + inside, from.data(), length) != 0) {
      std::memcpy(into->bytes.data() + inside, from.data(), length);
      into->dirty = true;
      names_.clear();
    }
    from = from.subspan(length);
    offset += length;
  }
  return {};
}

Result<void> BlockIo::zero(std::uint64_t offset, std::uint64_t length) {
  TRY(check_range(offset, length));
  TRY(drop());
  names_.clear();
  return target_->discard(offset, length);
}

Result<void> BlockIo::write_run(Pages::iterator first, Pages::iterator last) {
  std::vector<std::byte> bytes;
  for (auto each = first; each != last; ++each) {
    const auto& page = each->second->bytes;
    bytes.insert(bytes.end(), page.begin(), page.begin() + static_cast<std::ptrdiff_t>(page_size(each->first)));
  }
  TRY(target_->write(first->first * page_bytes, bytes));
  bytes_written_ += bytes.size();
  for (auto each = first; each != last; ++each) {
    each->second->dirty = false;
  }
  return {};
}

Result<void> BlockIo::write_back() {
  for (auto first = pages_.begin(); first != pages_.end();) {
    if (!first->second->dirty) {
      ++first;
      continue;
    }
    auto last = std::next(first);
    for (std::uint64_t run = 1;
         run < most_run && last != pages_.end() && last->second->dirty && last->first == first->first + run; ++run) {
      ++last;
    }
    TRY(write_run(first, last));
    first = last;
  }
  return {};
}

Result<void> BlockIo::drop() {
  TRY(write_back());
  pages_.clear();
  return {};
}

Result<void> BlockIo::flush() {
  TRY(write_back());
  return target_->flush();
}

}  // namespace domsmith::extfs
