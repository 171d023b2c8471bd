#pragma once

#include <array>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <string_view>

namespace gradient::wallet {

/// A passphrase in memory, wiped when the object goes. Moves, never copies.
class Passphrase {
  public:
    static constexpr std::size_t kMaxBytes = 1024;
    /// Fewest bytes of a new passphrase.
    static constexpr std::size_t kMinNewBytes = 8;

    /// Copies the text; throws node::Failure(usage) if it is empty or too long.
    explicit Passphrase(std::string_view text);
    Passphrase(Passphrase&& other) noexcept = default;
    Passphrase& operator=(Passphrase&& other) noexcept = default;
    ~Passphrase() = default;

    [[nodiscard]] std::string_view text() const noexcept { return {buffer_->bytes.data(), size_}; }

  private:
    struct Buffer {
        std::array<char, kMaxBytes> bytes{};
        Buffer() = default;
        Buffer(const Buffer&) = delete;
        Buffer& operator=(const Buffer&) = delete;
        ~Buffer();
    };

    std::unique_ptr<Buffer> buffer_ = std::make_unique<Buffer>();
    std::size_t size_ = 0;
};

/// Environment variable that scripts may put the passphrase in.
inline constexpr const char* kPassphraseVariable = "GRADIENT_PASSPHRASE";

/// Whether the passphrase opens a key that exists or will protect a new one, which is asked for
/// twice and must have kMinNewBytes.
enum class PassphraseUse { open, create };

/// Where a command gets its passphrase, the first of these that there is: the first line of `file`,
/// the environment variable, the terminal, without echo. Throws node::Failure(usage) if there is
/// none, if the file can be read by others, or if the passphrase is unfit for its use.
[[nodiscard]] Passphrase read_passphrase(const std::optional<std::filesystem::path>& file,
                                         PassphraseUse use);

}  // namespace gradient::wallet
