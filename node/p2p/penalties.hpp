#pragma once

// What an offence costs a peer. Costs add up to a score that decays, so that rare small faults
// never come to anything; kMaxScore ends the connection. By blame:
//
//   malformed, invalid  what no honest node sends: all of the score at once, and a ban
//   slow, flaky         part of the score, and the connection at worst
//   not_yet             nothing: it is good on another tip, or will be
//   ours                nothing

#include "node/p2p/offence.hpp"
#include "node/p2p/peer_id.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

namespace gradient::node {

/// The score at which a connection ends.
inline constexpr int kMaxScore = 100;
/// A score halves in this time.
inline constexpr auto kScoreHalfLife = std::chrono::minutes(10);
/// A node whose score is still above this is not connected to again: a full score keeps it away
/// for three minutes.
inline constexpr double kForgivenScore = 80;
/// Of the costs that only lead to a disconnection one counts in this time: one hiccup of a line or
/// a machine shows in many things at once.
inline constexpr auto kHiccup = std::chrono::seconds(1);
/// Bytes that came for nothing are not excused by it: so many cost a point. Each message counts as
/// kMessageBytes more, for what else it takes to find out that it is of no use.
inline constexpr std::size_t kBytesPerPoint = 512 * 1024;
inline constexpr std::size_t kMessageBytes = 1024;
/// Nodes whose scores are remembered, connected or not.
inline constexpr std::size_t kMaxScores = 4096;

/// What may happen to a peer, mildest first.
enum class Sanction : std::uint8_t {
    none,        // it stays
    disconnect,  // it goes and may come back once its score has decayed
    ban,         // it goes, and its node and address are banned
};

/// What an offence costs.
struct Penalty {
    int cost = 0;                        ///< 0 .. kMaxScore
    Sanction sanction = Sanction::none;  ///< once such costs alone have come to kMaxScore
    std::string reason;                  ///< one sentence, for logs and bans
};

/// The penalty for an offence.
[[nodiscard]] Penalty penalty_for(const Offence& offence);

/// The scores of nodes, by identity: they outlive connections. Not thread-safe.
class PenaltyLedger {
  public:
    using Time = std::chrono::steady_clock::time_point;

    /// Adds to a node's score and says what is due now. Of costs that lead to a ban and others
    /// together, the sum ends the connection; only the former alone lead to a ban. `bytes`: of the
    /// message that was the offence, if it was one.
    Sanction charge(const NodeId& node, const Penalty& penalty, Time now, std::size_t bytes = 0);

    /// The node's score now.
    [[nodiscard]] double score(const NodeId& node, Time now) const;

    /// Whether the node's score keeps it away still.
    [[nodiscard]] bool keeps_away(const NodeId& node, Time now) const {
        return score(node, now) > kForgivenScore;
    }

    /// Makes the node's score zero, as when its ban ends or is lifted.
    void forgive(const NodeId& node) { scores_.erase(node); }

    [[nodiscard]] std::size_t size() const noexcept { return scores_.size(); }

  private:
    struct Score {
        double light = 0;  // costs that lead to a disconnection
        double grave = 0;  // costs that lead to a ban
        Time at;           // when these two were so
        Time light_at;     // when the last light cost counted
    };
    static Score decayed(const Score& score, Time now);
    void make_room(Time now);

    std::map<NodeId, Score> scores_;
};

}  // namespace gradient::node
