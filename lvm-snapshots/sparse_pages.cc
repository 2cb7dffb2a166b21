#include "lvm-snapshots/sparse_pages.h"

#include <algorithm>
#include <cstring>

namespace domsmith {

namespace {

template <class Visit>
void each_page(std::uint64_t offset, std::uint64_t length, Visit visit) {
  for (std::uint64_t at = 0; at < length;) {
    const std::uint64_t page = (offset + at) / SparsePages::page_size;
    const auto from = static_cast<std::size_t>((offset + at) % SparsePages::page_size);
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(SparsePages::page_size - from, length - at));
    visit(page, from, static_cast<std::size_t>(at), count);
    at += count;
  }
}

}  // namespace

const SparsePages::Page* SparsePages::find(std::uint64_t page) const {
  if (const auto it = own_.find(page); it != own_.end()) {
    return it->second.get();
  }
  return base_ ? base_->find(page) : nullptr;
}

SparsePages::Page& SparsePages::own(std::uint64_t page) {
  const auto it = own_.find(page);
  if (it != own_.end() && it->second) {
    return *it->second;
  }
  auto fresh = std::make_unique<Page>();
  if (it != own_.end() || !base_) {
    fresh->fill(std::byte{0});
  } else if (const Page* old = base_->find(page); old != nullptr) {
    *fresh = *old;
  }
  return *(own_[page] = std::move(fresh));
}

void SparsePages::read(std::uint64_t offset, std::span<std::byte> into) const {
  each_page(offset, into.size(), [&](std::uint64_t page, std::size_t from, std::size_t at, std::size_t count) {
    if (const Page* held = find(page); held != nullptr) {
      std::memcpy(into.data() + at, held->data() + from, count);
    } else {
      std::memset(into.data() + at, 0, count);
    }
  });
}

void SparsePages::write(std::uint64_t offset, std::span<const std::byte> bytes) {
  each_page(offset, bytes.size(), [&](std::uint64_t page, std::size_t from, std::size_t at, std::size_t count) {
    std::memcpy(own(page).data() + from, bytes.data() + at, count);
  });
}

void SparsePages::discard(std::uint64_t offset, std::uint64_t length) {
  each_page(offset, length, [&](std::uint64_t page, std::size_t from, std::size_t, std::size_t count) {
    if (find(page) == nullptr) {
      return;
    }
    if (count < page_size) {
      std::memset(own(page).data() + from, 0, count);
    } else if (base_) {
      own_[page] = nullptr;
    } else {
      own_.erase(page);
    }
  });
}

std::optional<std::uint64_t> SparsePages::next_page(std::uint64_t page) const {
  for (;;) {
    const auto mine =
        std::find_if(own_.lower_bound(page), own_.end(), [](const auto& held) { return held.second != nullptr; });
    std::optional<std::uint64_t> under = base_ ? base_->next_page(page) : std::nullopt;
    const std::optional<std::uint64_t> over =
        mine == own_.end() ? std::nullopt : std::optional<std::uint64_t>(mine->first);
    if (!under || (over && *over <= *under)) {
      return over;
    }
    if (find(*under) != nullptr) {
      return under;
    }
    page = *under + 1;  // a hole lies over it
  }
}

std::optional<ByteRange> SparsePages::next_data(std::uint64_t offset, std::uint64_t size) const {
  const auto first = next_page(offset / page_size);
  if (!first || *first * page_size >= size) {
    return std::nullopt;
  }
  std::uint64_t end = *first + 1;
  while (find(end) != nullptr) {
    ++end;
  }
  const std::uint64_t begin = std::max(offset, *first * page_size);
  return ByteRange{begin, std::min(end * page_size, size) - begin};
}

std::uint64_t SparsePages::own_bytes() const {
  return page_size * static_cast<std::uint64_t>(
                         std::ranges::count_if(own_, [](const auto& held) { return held.second != nullptr; }));
}

}  // namespace domsmith
