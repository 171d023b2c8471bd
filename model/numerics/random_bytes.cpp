#include "model/numerics/random_bytes.hpp"

#include "model/numerics/aes_rounds.hpp"
#include "model/numerics/assumptions.hpp"

#include <algorithm>
#include <cstring>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace gradient::model {
namespace {

constexpr std::uint8_t times_two(std::uint8_t value) noexcept {
    return static_cast<std::uint8_t>((value << 1) ^ ((value & 0x80) != 0 ? 0x1b : 0));
}

/// The S-box of FIPS 197, made from its definition: the inverse in GF(2^8), then an affine map.
constexpr std::array<std::uint8_t, 256> make_s_box() noexcept {
    std::array<std::uint8_t, 256> box{};
    std::uint8_t p = 1;
    std::uint8_t q = 1;
    do {
        p = static_cast<std::uint8_t>(p ^ times_two(p));  // p runs through the powers of 3
        q = static_cast<std::uint8_t>(q ^ (q << 1));      // q through those of its inverse
        q = static_cast<std::uint8_t>(q ^ (q << 2));
        q = static_cast<std::uint8_t>(q ^ (q << 4));
        if ((q & 0x80) != 0) q = static_cast<std::uint8_t>(q ^ 0x09);
        const auto rotated = [&](int bits) {
            return static_cast<std::uint8_t>((q << bits) | (q >> (8 - bits)));
        };
        box[p] =
            static_cast<std::uint8_t>(q ^ rotated(1) ^ rotated(2) ^ rotated(3) ^ rotated(4) ^ 0x63);
    } while (p != 1);
    box[0] = 0x63;
    return box;
}

constexpr std::array<std::uint8_t, 256> kSBox = make_s_box();
static_assert(kSBox[0x53] == 0xed);  // FIPS 197, section 4.2.1's example

AesBlock substitute_and_shift(const AesBlock& in) noexcept {
    AesBlock out;
    for (std::size_t column = 0; column < 4; ++column)
        for (std::size_t row = 0; row < 4; ++row)
            out[4 * column + row] = kSBox[in[4 * ((column + row) % 4) + row]];
    return out;
}

AesBlock exclusive_or(const AesBlock& a, const AesBlock& b) noexcept {
    AesBlock out;
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::uint8_t>(a[i] ^ b[i]);
    return out;
}

std::array<AesBlock, 11> expand_key(const AesBlock& key) noexcept {
    std::array<AesBlock, 11> keys;
    keys[0] = key;
    std::uint8_t constant = 1;
    for (std::size_t round = 1; round < keys.size(); ++round) {
        const AesBlock& last = keys[round - 1];
        AesBlock& next = keys[round];
        for (std::size_t i = 0; i < 4; ++i)
            next[i] = static_cast<std::uint8_t>(last[i] ^ kSBox[last[12 + (i + 1) % 4]]);
        next[0] = static_cast<std::uint8_t>(next[0] ^ constant);
        for (std::size_t i = 4; i < 16; ++i)
            next[i] = static_cast<std::uint8_t>(last[i] ^ next[i - 4]);
        constant = times_two(constant);
    }
    return keys;
}

AesBlock encrypt(const std::array<AesBlock, 11>& keys, const AesBlock& block) noexcept {
    AesBlock state = exclusive_or(block, keys[0]);
    for (std::size_t round = 1; round < 10; ++round) state = aes_round(state, keys[round]);
    return exclusive_or(substitute_and_shift(state), keys[10]);
}

}  // namespace

AesBlock aes_round(const AesBlock& block, const AesBlock& round_key) noexcept {
    const AesBlock shifted = substitute_and_shift(block);
    AesBlock out;
    for (std::size_t c = 0; c < 16; c += 4) {
        const std::uint8_t all = shifted[c] ^ shifted[c + 1] ^ shifted[c + 2] ^ shifted[c + 3];
        for (std::size_t i = 0; i < 4; ++i) {
            const std::uint8_t pair = shifted[c + i] ^ shifted[c + (i + 1) % 4];
            out[c + i] = static_cast<std::uint8_t>(shifted[c + i] ^ all ^ times_two(pair) ^
                                                   round_key[c + i]);
        }
    }
    return out;
}

AesBlock aes128_encrypt(const AesBlock& key, const AesBlock& block) noexcept {
    return encrypt(expand_key(key), block);
}

namespace aes {

void counter_portable(const CounterRun& run, std::uint8_t* out, std::size_t blocks) noexcept {
    for (std::size_t i = 0; i < blocks; ++i, out += 16) {
        AesBlock counter;
        const std::uint64_t number = run.first_block + i;
        std::memcpy(counter.data(), &number, 8);
        std::memcpy(counter.data() + 8, &run.step, 4);
        std::memcpy(counter.data() + 12, &run.stream, 4);
        const AesBlock bytes = encrypt(*run.round_keys, exclusive_or(counter, run.mask));
        std::memcpy(out, bytes.data(), 16);
    }
}

void fold_portable(std::uint8_t* state, const std::uint8_t* in, std::size_t chunks) noexcept {
    for (std::size_t chunk = 0; chunk < chunks; ++chunk)
        for (std::size_t i = 0; i < 16; ++i, in += 16) {
            AesBlock block;
            std::memcpy(block.data(), state + 16 * i, 16);
            AesBlock data;
            std::memcpy(data.data(), in, 16);
            block = aes_round(aes_round(exclusive_or(block, data), kFoldKey), kFoldKey);
            std::memcpy(state + 16 * i, block.data(), 16);
        }
}

}  // namespace aes

AesUnit best_aes_unit() noexcept {
#if defined(__x86_64__)
    // clang 14 does not know "vaes" by name. "avx512f" covers the system's support for the
    // registers.
    constexpr unsigned kVaesBit = 1U << 9;
    unsigned a = 0;
    unsigned b = 0;
    unsigned c = 0;
    unsigned d = 0;
    if (__builtin_cpu_supports("avx512f") && __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 &&
        (c & kVaesBit) != 0)
        return AesUnit::vaes512;
    if (__builtin_cpu_supports("aes")) return AesUnit::aes_ni;
#endif
    return AesUnit::portable;
}

RandomBytes::RandomBytes(std::span<const std::uint8_t, 32> seed, AesUnit unit) noexcept
    : unit_(unit) {
    AesBlock key;
    std::copy_n(seed.begin(), 16, key.begin());
    std::copy_n(seed.begin() + 16, 16, mask_.begin());
    round_keys_ = expand_key(key);
}

void RandomBytes::fill(Stream stream, std::uint32_t step, std::uint64_t first,
                       std::span<std::uint8_t> out) const noexcept {
    static constexpr aes::CounterLoop kLoops[]{aes::counter_portable, aes::counter_aes_ni,
                                               aes::counter_vaes512};
    const aes::CounterRun run{&round_keys_, mask_, first / 16, step,
                              static_cast<std::uint32_t>(stream)};
    kLoops[static_cast<std::size_t>(unit_)](run, out.data(), out.size() / 16);
}

GradientFold::GradientFold(AesUnit unit) noexcept : unit_(unit) {
    for (std::size_t i = 0; i < kBytes; ++i) state_[i] = static_cast<std::uint8_t>(i / 16);
}

void GradientFold::absorb(std::span<const std::int32_t> accumulators) noexcept {
    static constexpr aes::FoldLoop kLoops[]{aes::fold_portable, aes::fold_aes_ni,
                                            aes::fold_vaes512};
    kLoops[static_cast<std::size_t>(unit_)](
        state_.data(), reinterpret_cast<const std::uint8_t*>(accumulators.data()),
        accumulators.size_bytes() / kBytes);
}

}  // namespace gradient::model
