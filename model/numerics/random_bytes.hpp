#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace gradient::model {

/// Streams of random bytes of a unit; never renumber (SPEC.md section 3).
enum class Stream : std::uint32_t {
    batch = 0,
    jitter_a1 = 1,
    jitter_a2 = 2,
    jitter_a3 = 3,
    round_x = 4,
    round_y = 5,
    round_u = 6,
    round_f = 7,
    round_h = 8,
    round_r = 9,
    round_p = 10,
    round_t = 11,
    round_v = 12,
    initial = 13,
};

/// A block of the Advanced Encryption Standard.
using AesBlock = std::array<std::uint8_t, 16>;

/// AES-128 (FIPS 197) on one block, portable; the oracle of the vectorised counter mode.
AesBlock aes128_encrypt(const AesBlock& key, const AesBlock& block) noexcept;

/// One round of AES: ShiftRows, SubBytes, MixColumns, then XOR of the round key.
AesBlock aes_round(const AesBlock& block, const AesBlock& round_key) noexcept;

/// Which implementation of AES a generator uses; all give the same bytes.
enum class AesUnit : std::uint8_t { portable, aes_ni, vaes512 };

/// The fastest this processor has.
AesUnit best_aes_unit() noexcept;

/// Random bytes of a unit: AES-128 in counter mode under the unit's seed (SPEC.md section 3).
class RandomBytes {
  public:
    RandomBytes(std::span<const std::uint8_t, 32> seed, AesUnit unit) noexcept;

    /// Writes bytes first .. first + out.size() - 1 of a stream; `first` and the size are multiples
    /// of 16.
    void fill(Stream stream, std::uint32_t step, std::uint64_t first,
              std::span<std::uint8_t> out) const noexcept;

  private:
    alignas(16) std::array<AesBlock, 11> round_keys_{};
    AesBlock mask_{};
    AesUnit unit_;
};

/// Fold of gradient accumulators (SPEC.md section 6.3): 16 chains of AES rounds.
class GradientFold {
  public:
    static constexpr std::size_t kBytes = 256;

    explicit GradientFold(AesUnit unit) noexcept;

    /// Absorbs accumulators; their number is a multiple of 64.
    void absorb(std::span<const std::int32_t> accumulators) noexcept;

    const std::array<std::uint8_t, kBytes>& state() const noexcept { return state_; }

  private:
    alignas(64) std::array<std::uint8_t, kBytes> state_;
    AesUnit unit_;
};

}  // namespace gradient::model
