#include "chain/light/history_judge.hpp"

#include "chain/consensus/difficulty.hpp"
#include "chain/consensus/header_rules.hpp"

#include <algorithm>
#include <utility>

namespace gradient::chain {

namespace {

auto refused(HistoryFault fault) {
    return fail(HistoryFailure(fault));
}

// Everything that a header alone and its parent's show, but for roots and the task's draw.
Result<void, HeaderError> check_link(const Header& header, const Header& parent,
                                     const LightNetwork& network) noexcept {
    const Template& tmpl = header.tmpl;
    TRY(check_header_form(header, network.params));
    if (tmpl.parent != header_id(parent)) return fail(HeaderError::wrong_parent);
    if (tmpl.height - 1 != parent.tmpl.height) return fail(HeaderError::wrong_height);
    if (tmpl.time_ms <= parent.tmpl.time_ms) return fail(HeaderError::time_not_after_parent);
    if (tmpl.bits != next_bits(network.params, parent.tmpl.height, parent.tmpl.time_ms)) {
        return fail(HeaderError::wrong_bits);
    }
    // What a user task's unit costs is seen with the evidence.
    if (tmpl.task != kGenesisTask) return {};
    return check_claim(header, network.task->unit_work, network.params);
}

Result<void, HistoryFailure> as_failure(const Result<void, HeaderError>& checked) {
    if (!checked) return fail(HistoryFailure(checked.error()));
    return {};
}

// The leaf of a header with a valid target; nothing if the work leaves the range.
std::optional<MmrLeaf> leaf_from(const Header& header, const U256& work_before) {
    const auto after = checked_add(work_before, block_work(header.tmpl.bits));
    if (!after) return std::nullopt;
    return MmrLeaf{header_id(header), header.tmpl.height, header.tmpl.time_ms, work_before, *after};
}

// The leaf of a parent whose child's work begins at `work_after`.
std::optional<MmrLeaf> leaf_to(const Header& header, const U256& work_after,
                               const ConsensusParams& params) {
    if (!target_of(header.tmpl.bits, params)) return std::nullopt;
    const auto before = checked_sub(work_after, block_work(header.tmpl.bits));
    if (!before) return std::nullopt;
    return MmrLeaf{header_id(header), header.tmpl.height, header.tmpl.time_ms, *before, work_after};
}

bool stands(const Hash256& root, const std::optional<MmrLeaf>& leaf, const MmrProof& proof,
            std::uint64_t index, std::uint64_t count) {
    return leaf && proof.leaf_index == index && proof.leaf_count == count &&
           mmr_verify(root, *leaf, proof).has_value();
}

}  // namespace

HistoryJudge::HistoryJudge(LightNetwork network, const HistoryClaim& claim, const Hash256& seed,
                           std::uint64_t now_ms)
    : network_(std::move(network)), claim_(claim), seed_(seed), now_ms_(now_ms) {}

std::vector<HistoryQuestion> HistoryJudge::ask() {
    std::vector<HistoryQuestion> questions;
    if (verdict_) return questions;
    if (stage_ == Stage::begin) {
        stage_ = Stage::tail;
        questions.emplace_back(AskTail{claim_.tip, static_cast<std::uint32_t>(kTailBlocks)});
    } else if (stage_ == Stage::samples && asked_ == answered_) {
        const std::size_t end = std::min(works_.size(), asked_ + kSamplesPerQuestion);
        AskSamples samples{anchor_id_, {}};
        for (; asked_ < end; ++asked_) samples.works.push_back(works_[asked_]);
        questions.emplace_back(std::move(samples));
    } else if (stage_ == Stage::work) {
        for (WorkQuestion& question : work_->ask()) {
            std::visit([&](auto& one) { questions.emplace_back(std::move(one)); }, question);
        }
    }
    return questions;
}

std::vector<LightJob> HistoryJudge::jobs() {
    if (verdict_ || stage_ != Stage::work) return {};
    return work_->jobs();
}

void HistoryJudge::settle(const Result<void, HistoryFailure>& step) {
    if (verdict_) return;
    if (!step) {
        verdict_ = fail(step.error());
    } else if (stage_ == Stage::work && work_->finished()) {
        verdict_ = BelievedHistory{claim_.tip, claim_.cumulative_work, works_.size(),
                                   work_->proved(), tail_};
    }
}

void HistoryJudge::want(const Header& header) {
    if (wanted_.insert(header_id(header)).second) headers_.push_back(header);
}

void HistoryJudge::begin_work() {
    stage_ = Stage::work;
    work_.emplace(network_, std::exchange(headers_, {}));
}

// ------------------------------------------------------------------------------------------- tail

void HistoryJudge::take_tail(const HistoryTail& tail) {
    if (verdict_ || stage_ != Stage::tail) return;
    settle(check_tail(tail));
}

Result<void, HistoryFailure> HistoryJudge::check_tail(const HistoryTail& tail) {
    const std::uint64_t height = claim_.height;
    const std::uint64_t count = std::min<std::uint64_t>(height, kTailBlocks);
    if (count == 0 || tail.headers.size() != count ||
        header_id(tail.headers.back()) != claim_.tip ||
        tail.below.leaf_count() != height + 1 - count) {
        return refused(HistoryFault::wrong_tail);
    }
    const Hash256 root = tail.below.root();
    if (!stands(root, leaf_from(network_.genesis, U256()), tail.genesis, 0,
                tail.below.leaf_count())) {
        return refused(HistoryFault::wrong_genesis);
    }
    const U256& work = tail.below.peaks().back().work_after;
    if (!stands(root, leaf_to(tail.parent, work, network_.params), tail.parent_place,
                tail.below.leaf_count() - 1, tail.below.leaf_count())) {
        return refused(HistoryFault::wrong_parent_place);
    }
    TRY(check_links(tail));
    const std::uint64_t time_ms = tail.headers.back().tmpl.time_ms;
    if (time_ms > now_ms_ && time_ms - now_ms_ > network_.params.max_future_ms) {
        return fail(HistoryFailure(HeaderError::time_too_far));
    }
    tail_ = tail.headers;
    for (const Header& header : tail.headers) want(header);
    return draw(tail);
}

// Header upon header, each with the history root that those below it make.
Result<void, HistoryFailure> HistoryJudge::check_links(const HistoryTail& tail) {
    MmrPeaks history = tail.below;
    const Header* parent = &tail.parent;
    for (const Header& header : tail.headers) {
        TRY(as_failure(check_link(header, *parent, network_)));
        if (header.tmpl.history_root != history.root()) {
            return fail(HistoryFailure(HeaderError::wrong_history_root));
        }
        const auto leaf = leaf_from(header, history.peaks().back().work_after);
        if (!leaf || !history.append(*leaf)) return refused(HistoryFault::wrong_work);
        parent = &header;
    }
    if (history.peaks().back().work_after != claim_.cumulative_work) {
        return refused(HistoryFault::wrong_work);
    }
    return {};
}

Result<void, HistoryFailure> HistoryJudge::draw(const HistoryTail& tail) {
    if (tail.below.leaf_count() == 1) {
        begin_work();
        return {};
    }
    anchor_ = tail.headers.front();
    anchor_id_ = header_id(anchor_);
    const SampledRange range{block_work(network_.genesis.tmpl.bits),
                             tail.below.peaks().back().work_after, claim_.cumulative_work};
    const auto count = sample_count(range);
    if (!count) return refused(HistoryFault::too_many_samples);
    works_ = draw_samples(range, seed_, *count);
    stage_ = Stage::samples;
    return {};
}

// ---------------------------------------------------------------------------------------- samples

void HistoryJudge::take_samples(const std::vector<HistorySample>& samples) {
    if (verdict_ || stage_ != Stage::samples || asked_ == answered_) return;
    if (samples.size() != asked_ - answered_) {
        settle(refused(HistoryFault::wrong_sample_count));
        return;
    }
    for (const HistorySample& sample : samples) {
        const auto checked = check_sample(sample, works_[answered_++]);
        settle(checked);
        if (!checked) return;
        want(sample.header);
    }
    if (answered_ == works_.size()) begin_work();
}

Result<void, HistoryFailure> HistoryJudge::check_sample(const HistorySample& sample,
                                                        const U256& work) const {
    const Header& header = sample.header;
    const std::uint64_t height = header.tmpl.height;
    const std::uint64_t count = anchor_.tmpl.height;
    const Hash256& root = anchor_.tmpl.history_root;
    TRY(as_failure(check_link(header, sample.parent, network_)));
    const auto leaf = leaf_from(header, sample.work_before);
    if (!leaf || work < leaf->work_before || work >= leaf->work_after) {
        return refused(HistoryFault::wrong_sample);
    }
    if (!stands(root, leaf, sample.place, height, count)) {
        return refused(HistoryFault::wrong_place);
    }
    if (!stands(header.tmpl.history_root,
                leaf_to(sample.parent, sample.work_before, network_.params), sample.parent_place,
                height - 1, height)) {
        return refused(HistoryFault::wrong_parent_place);
    }
    if (sample.prefix.old_count != height || sample.prefix.new_count != count ||
        !mmr_verify_prefix(header.tmpl.history_root, root, sample.prefix)) {
        return refused(HistoryFault::wrong_prefix);
    }
    return {};
}

// ------------------------------------------------------------------------------------------- work

void HistoryJudge::take_evidence(const Hash256& id, StandaloneEvidence evidence) {
    if (verdict_ || stage_ != Stage::work) return;
    settle(work_->take_evidence(id, std::move(evidence)));
}

void HistoryJudge::take_chunk(std::uint32_t task, std::uint32_t chunk, ByteSpan bytes) {
    if (verdict_ || stage_ != Stage::work) return;
    settle(work_->take_chunk(task, chunk, bytes));
}

void HistoryJudge::take_result(const LightJobResult& result) {
    if (verdict_ || stage_ != Stage::work) return;
    settle(work_->take_result(result));
}

}  // namespace gradient::chain
