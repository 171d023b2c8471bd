#pragma once

#include "model/numerics/engine.hpp"
#include "model/numerics/random_bytes.hpp"
#include "model/task.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <new>
#include <span>
#include <vector>

/// Work space of a trainer; internal to model/attention.
namespace gradient::model {

/// Memory on a cache line, so that vector loads never straddle two.
template <class T>
struct CacheAligned {
    using value_type = T;
    CacheAligned() = default;
    template <class U>
    explicit CacheAligned(const CacheAligned<U>& /*other*/) noexcept {}
    T* allocate(std::size_t count) {
        return static_cast<T*>(::operator new (count * sizeof(T), std::align_val_t{64}));
    }
    void deallocate(T* memory, std::size_t /*count*/) noexcept {
        ::operator delete (memory, std::align_val_t{64});
    }
    friend bool operator==(const CacheAligned&, const CacheAligned&) noexcept { return true; }
};

template <class T>
using Buffer = std::vector<T, CacheAligned<T>>;

/// Most sequences of a batch: 512 rows of at least 16.
inline constexpr std::size_t kMaxBatch = 32;

/// floor(a * b / 2^64).
inline std::uint64_t multiply_high(std::uint64_t a, std::uint64_t b) noexcept {
    __extension__ using Wide = unsigned __int128;
    return static_cast<std::uint64_t>((static_cast<Wide>(a) * b) >> 64);
}

/// Everything a unit touches, allocated once. Names are those of SPEC.md section 4; `wide` holds
/// the accumulators of U, H, C and R in turn, `scores` those of S, Q and P.
struct Trainer::Workspace {
    /// Exponents that the backward pass needs of the forward pass.
    struct Exponents {
        int h;
        int c;
    };

    Workspace(const AttentionConfig& configuration, const Dataset& dataset, const Kernels& kernels);

    std::size_t x_count() const noexcept { return std::size_t{config.width} * config.width; }
    std::size_t y_count() const noexcept {
        return std::size_t{config.value_width} * config.outputs;
    }
    std::int16_t* a1_of(std::size_t b) noexcept { return a1.data() + b * base_a1.size(); }
    std::int16_t* a3_of(std::size_t b) noexcept { return a3.data() + b * base_a3.size(); }

    /// One unit on parameters that are in range. `after_step` is called when `gradient` holds a
    /// step's accumulators.
    template <class AfterStep>
    UnitResult train_unit(std::span<std::int32_t> parameters, const Seed& seed,
                          AfterStep after_step) noexcept;
    std::int64_t train_step(std::span<std::int32_t> parameters, const RandomBytes& random,
                            std::uint32_t step, GradientFold& fold) noexcept;
    /// A null `random` means no noise (evaluation and inference).
    void round_weights(std::span<const std::int32_t> parameters, const RandomBytes* random,
                       std::uint32_t step) noexcept;
    const std::uint8_t* noise_for(const RandomBytes* random, Stream stream, std::uint32_t step,
                                  std::uint64_t first, std::size_t count) noexcept;
    void jitter_inputs(const RandomBytes& random, std::uint32_t step, std::size_t b) noexcept;
    Exponents forward(const std::int16_t* first, const std::int16_t* second,
                      const std::int16_t* third, const RandomBytes* random, std::uint32_t step,
                      std::size_t b) noexcept;
    std::int64_t backward(Exponents exponents, const RandomBytes& random, std::uint32_t step,
                          std::size_t b) noexcept;
    int round_batch(Stream stream, const Buffer<std::int32_t>& acc, std::span<const int> exponents,
                    std::span<const std::uint32_t> largest, std::size_t columns,
                    const RandomBytes& random, std::uint32_t step,
                    Buffer<std::int16_t>& out) noexcept;
    void score(int c_exponent, Evaluation& result) const noexcept;

    AttentionConfig config;
    const Dataset* data;
    const Kernels* table;
    AesUnit aes = best_aes_unit();

    Buffer<std::int32_t> before;                     ///< parameters at the unit's start
    Buffer<std::int16_t> rounded;                    ///< Xw or Yw before packing
    Buffer<std::int16_t> x_packed, y_packed;         ///< Xw, Yw
    Buffer<std::int16_t> base_a1, base_a2, base_a3;  ///< one sequence, without jitter
    Buffer<std::int16_t> target;                     ///< B of one sequence
    Buffer<std::int16_t> a1, a3;                     ///< the whole batch
    Buffer<std::int16_t> a2, u, f, h, r, p_rounded;  ///< one sequence
    Buffer<std::int32_t> wide, scores;               ///< one sequence
    Buffer<std::int32_t> t_acc, v_acc;               ///< the whole batch
    Buffer<std::int16_t> t_rounded, v_rounded;       ///< the whole batch
    Buffer<std::int32_t> gradient;                   ///< GX, GY
    Buffer<std::uint8_t> noise;
    Buffer<std::byte> pack;
    std::array<int, kMaxBatch> t_exponents{}, v_exponents{};
    std::array<std::uint32_t, kMaxBatch> t_largest{}, v_largest{};
};

inline Trainer::Workspace::Workspace(const AttentionConfig& configuration, const Dataset& dataset,
                                     const Kernels& kernels)
    : config(configuration), data(&dataset), table(&kernels) {
    const std::size_t n = config.rows;
    const std::size_t d = config.width;
    const std::size_t v = config.value_width;
    const std::size_t p = config.outputs;
    const std::size_t all = n * config.batch;
    before.resize(parameter_count(config));
    rounded.resize(std::max(x_count(), y_count()));
    x_packed.resize(x_count());
    y_packed.resize(y_count());
    base_a1.resize(n * d);
    base_a2.resize(n * d);
    base_a3.resize(n * v);
    target.resize(n * p);
    a1.resize(all * d);
    a3.resize(all * v);
    a2.resize(n * d);
    u.resize(n * d);
    f.resize(n * n);
    h.resize(n * p);
    r.resize(n * p);
    p_rounded.resize(n * n);
    wide.resize(n * std::max(d, p));
    scores.resize(n * n);
    t_acc.resize(all * d);
    v_acc.resize(all * p);
    t_rounded.resize(all * d);
    v_rounded.resize(all * p);
    gradient.resize(parameter_count(config));
    noise.resize(std::max({x_count(), y_count(), n * d, n * v, n * p, n * n}));
    pack.resize(kPackBytes);
}

}  // namespace gradient::model
