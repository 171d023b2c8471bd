#pragma once

// Grammar (chain/SPEC.md section 2):
//
//   template  version u32, height u64, parent hash, time u64, bits u32, settle root,
//             transaction root, state root, history root, task u32, miner key, lane u32;
//             224 bytes
//   header    template, units u32, last digest; 260 bytes

#include "chain/base/bytes.hpp"
#include "chain/base/codec.hpp"
#include "chain/crypto/key.hpp"

#include <cstddef>
#include <cstdint>

namespace gradient::chain {

/// The version that templates carry. Never renumber.
inline constexpr std::uint32_t kTemplateVersion = 1;

/// Everything that a lane commits to before its first unit.
struct Template {
    static constexpr std::size_t kEncodedSize = 224;

    std::uint32_t version = kTemplateVersion;
    std::uint64_t height = 0;   ///< of the block that a win of this lane would make
    Hash256 parent;             ///< id of the block below
    std::uint64_t time_ms = 0;  ///< when the lane started, milliseconds since 1970
    std::uint32_t bits = 0;     ///< block target for one reference FLOP, compact form
    Hash256 settle_root;        ///< Merkle root over the ids of the listed segments
    Hash256 transaction_root;   ///< Merkle root over the ids of the block's transactions
    Hash256 state_root;         ///< of the state after the parent
    Hash256 history_root;       ///< of the Merkle mountain range over all earlier headers
    std::uint32_t task = 0;     ///< id of the task that the lane trains; the genesis task is 0
    PublicKey miner;            ///< who is paid, and who signs the segment
    std::uint32_t lane = 0;     ///< tells a miner's lanes apart

    friend bool operator==(const Template&, const Template&) = default;

    static auto fields(auto& self) {
        return std::tie(self.version, self.height, self.parent, self.time_ms, self.bits,
                        self.settle_root, self.transaction_root, self.state_root, self.history_root,
                        self.task, self.miner, self.lane);
    }
};

/// T: the hash that every digest of the lane depends on.
[[nodiscard]] Hash256 template_hash(const Template& tmpl) noexcept;

/// A template and the end of a lane that started from it.
struct Header {
    static constexpr std::size_t kEncodedSize = Template::kEncodedSize + 4 + 32;

    Template tmpl;
    std::uint32_t units = 0;  ///< K: the unit whose ticket won
    Hash256 last_digest;      ///< s_K

    friend bool operator==(const Header&, const Header&) = default;

    static auto fields(auto& self) { return std::tie(self.tmpl, self.units, self.last_digest); }
};

/// A block's id.
[[nodiscard]] Hash256 header_id(const Header& header) noexcept;

/// A segment's id: H(T, s_K). Signature and openings are witness data outside it.
[[nodiscard]] Hash256 segment_id(const Hash256& template_hash, const Hash256& last_digest) noexcept;

}  // namespace gradient::chain
