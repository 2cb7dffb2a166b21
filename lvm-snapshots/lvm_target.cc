#include "lvm-snapshots/lvm_target.h"

#include <fmt/format.h>

#include <optional>

#include "base/error_text.h"
#include "base/log.h"

namespace domsmith {

namespace {

class LvmTarget final : public BlockTarget {
 public:
  LvmTarget(std::shared_ptr<LvmContext> context, std::string volume, std::string lv, FileLock hold,
            std::unique_ptr<BlockTarget> device)
      : context_(std::move(context)),
        volume_(std::move(volume)),
        lv_(std::move(lv)),
        hold_(std::move(hold)),
        device_(std::move(device)) {}
  LvmTarget(const LvmTarget&) = delete;
  LvmTarget& operator=(const LvmTarget&) = delete;
  ~LvmTarget() override {
    device_.reset();
    if (const auto closed = close(); !closed) {
      log_info(error_text(closed.error()));  // the next verb on this store tidies it up
    }
  }

  [[nodiscard]] std::uint64_t size() const override { return device_->size(); }
  [[nodiscard]] std::string name() const override { return device_->name(); }
  Result<void> read(std::uint64_t offset, std::span<std::byte> into) override { return device_->read(offset, into); }
  Result<void> write(std::uint64_t offset, std::span<const std::byte> from) override {
    return device_->write(offset, from);
  }
  Result<void> write_once(std::uint64_t offset, std::span<const std::byte> from) override {
    return device_->write_once(offset, from);
  }
  Result<void> discard(std::uint64_t offset, std::uint64_t length) override { return device_->discard(offset, length); }
  Result<void> flush() override { return device_->flush(); }
  Result<std::optional<ByteRange>> next_data(std::uint64_t offset) override { return device_->next_data(offset); }

 private:
  Result<void> close() {
    const FileLock gate = TRY(context_->use().gate());
    hold_.reset();
    return context_->settle(volume_, lv_);
  }

  std::shared_ptr<LvmContext> context_;
  std::string volume_, lv_;
  std::optional<FileLock> hold_;
  std::unique_ptr<BlockTarget> device_;
};

}  // namespace

Result<std::unique_ptr<BlockTarget>> open_lvm_target(std::shared_ptr<LvmContext> context, std::string name,
                                                     std::string lv, Access access, FileLock hold) {
  auto device = TRY(open_block_target(context->commands().device(lv), access,
                                      context->pool_zeroes() ? Discards::unmap : Discards::anything));
  return std::make_unique<LvmTarget>(std::move(context), std::move(name), std::move(lv), std::move(hold),
                                     std::move(device));
}

}  // namespace domsmith
