#include "node/audit/audit_service.hpp"

#include "chain/state/entries.hpp"
#include "node/audit/secure_random.hpp"
#include "node/concurrency/run_on.hpp"
#include "node/setup/store_failure.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <exception>
#include <utility>

namespace gradient::node {

AuditService::AuditService(LedgerService& ledger, WorkerPool& pool, TrainerPool& trainers,
                           const chain::SecretKey& key, std::filesystem::path file, Options options)
    : ledger_(ledger),
      pool_(pool),
      trainers_(trainers),
      own_(key.public_key()),
      fraction_(options.fraction),
      queue_(options.fraction, options.max_bytes,
             options.random ? std::move(options.random) : AuditQueue::Random(random_below)),
      accuser_(ledger, key, std::move(file)),
      tasks_(ledger.strand(), std::min(pool.size(), kMaxParallel)) {}

void AuditService::start() {
    accuser_.load();
}

void AuditService::take(std::uint64_t height, const std::vector<chain::CheckedSegment>& segments) {
    if (fraction_ <= 0) return;
    for (const auto& segment : segments) {
        if (segment.tmpl().miner != own_) queue_.offer(segment, height);
    }
    wake();
}

void AuditService::tip_changed() {
    const std::uint64_t height = ledger_.tip()->height();
    const std::uint64_t window = ledger_.network().params().maturity_blocks;
    if (height + kLeastBlocks > window) queue_.forget(height + kLeastBlocks - window - 1);
    accuser_.renew();
    wake();
}

AuditStatus AuditService::status() const {
    AuditStatus status;
    status.fraction = fraction_;
    status.waiting = queue_.size();
    status.waiting_bytes = queue_.bytes();
    status.running = tasks_.size();
    status.segments = segments_;
    status.units = units_;
    status.dropped = queue_.dropped() + expired_;
    status.proofs = proofs_;
    status.accusations = accuser_.counters();
    return status;
}

Task<> AuditService::close() {
    stop_.request_stop();
    co_await tasks_.close();
    co_await accuser_.close();
}

void AuditService::wake() {
    for (std::size_t wanted = queue_.size(); wanted > 0 && !tasks_.full(); --wanted) {
        tasks_.spawn(run());
    }
}

Task<> AuditService::run() {
    try {
        while (auto candidate = pick()) {
            AuditCandidate picked = *std::move(candidate);
            co_await audit(std::move(picked));
        }
    } catch (const std::exception& error) {
        if (!stop_.stop_requested()) spdlog::error("an audit failed: {}", error.what());
    }
}

// A random candidate that is worth its audit on this tip.
std::optional<AuditCandidate> AuditService::pick() {
    std::vector<AuditCandidate> later;
    std::optional<AuditCandidate> found;
    while (!found && !stop_.stop_requested()) {
        auto candidate = queue_.take();
        if (!candidate) break;
        switch (worth_of(*candidate)) {
            case Worth::audit:
                found = std::move(candidate);
                break;
            case Worth::later:
                later.push_back(*std::move(candidate));
                break;
            case Worth::never:
                ++expired_;
                break;
        }
    }
    for (auto& candidate : later) queue_.put_back(std::move(candidate));
    return found;
}

AuditService::Worth AuditService::worth_of(const AuditCandidate& candidate) const {
    const auto included = require(chain::read_entry<chain::IncludedSegment>(
        ledger_.tip()->state(), chain::segment_key(candidate.id)));
    if (!included) return Worth::later;  // of a side branch; it is forgotten in time
    if (included->proven != 0) return Worth::never;
    const std::uint64_t matures = included->height + ledger_.network().params().maturity_blocks;
    return matures >= ledger_.tip()->height() + kLeastBlocks ? Worth::audit : Worth::never;
}

// One job of the pool for a unit or a few, so that whatever is more urgent gets its turn.
Task<> AuditService::audit(AuditCandidate candidate) {
    const auto task = require(ledger_.ledger().task(candidate.tmpl.task));
    if (!task) co_return;
    const auto audit =
        std::make_shared<chain::SegmentAudit>(candidate.tmpl, candidate.body, candidate.start);
    while (!audit->done()) {
        const std::uint32_t before = audit->units_passed();
        // Both named: g++ 12 destroys a temporary of a co_await expression twice.
        std::stop_token token = stop_.get_token();
        auto job = [this, audit, task](const std::stop_token& stop) {
            const auto trainer = trainers_.lease(task);
            const auto end = std::chrono::steady_clock::now() + kJobTime;
            do {
                const auto stepped = audit->step(*trainer);
                if (!stepped) return false;
            } while (!audit->done() && !stop.stop_requested() &&
                     std::chrono::steady_clock::now() < end);
            return true;
        };
        const bool stepped =
            co_await run_on(pool_, Priority::audit, std::move(token), std::move(job));
        units_ += audit->units_passed() - before + (audit->proof() ? 1 : 0);
        if (!stepped) {
            spdlog::error("segment {} can't be audited: its start is no model of its task",
                          candidate.id.to_hex());
            co_return;
        }
    }
    ++segments_;
    spdlog::debug("segment {} is audited: {} of {} units are right", candidate.id.to_hex(),
                  audit->units_passed(), audit->units());
    if (!audit->proof()) co_return;
    ++proofs_;
    spdlog::warn("unit {} of segment {} is false: its miner {} lied", audit->proof()->unit,
                 candidate.id.to_hex(), candidate.tmpl.miner.to_hex());
    accuser_.add(candidate.id, candidate.height, *audit->proof());
}

}  // namespace gradient::node
