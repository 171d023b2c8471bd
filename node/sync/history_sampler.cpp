#include "node/sync/history_sampler.hpp"

#include <utility>

namespace gradient::node {

namespace {

std::string_view describe(SamplingStop stop) noexcept {
    switch (stop) {
        case SamplingStop::withheld:
            return "the peer does not have what its chain is judged by";
        case SamplingStop::stalled:
            return "the peer sends what its chain is judged by too slowly";
        case SamplingStop::too_large:
            return "judging the peer's chain takes too many bytes";
        case SamplingStop::peer_left:
            return "the peer has left";
    }
    return "unknown reason";
}

// What a chain that is not believed says of the peer; nothing if it may be honest.
std::optional<ProtocolOffence> offence_of(const chain::HistoryFailure& failure) noexcept {
    if (!chain::is_lie(failure)) return std::nullopt;
    if (std::holds_alternative<chain::EvidenceError>(failure)) {
        return ProtocolOffence::false_evidence;
    }
    const auto* fault = std::get_if<chain::HistoryFault>(&failure);
    if (!fault) return ProtocolOffence::broken_headers;
    switch (*fault) {
        case chain::HistoryFault::wrong_work:
            return ProtocolOffence::false_claim;
        case chain::HistoryFault::wrong_sample_count:
        case chain::HistoryFault::wrong_chunk:
            return ProtocolOffence::wrong_answer;
        default:
            return ProtocolOffence::broken_headers;
    }
}

}  // namespace

std::string describe(const SamplingVerdict& verdict) {
    if (verdict.is_believed()) return "the chain's work is proved";
    if (const auto* failure = std::get_if<chain::HistoryFailure>(&verdict.result)) {
        return std::string(chain::describe(*failure));
    }
    return std::string(describe(std::get<SamplingStop>(verdict.result)));
}

HistorySampler::HistorySampler(chain::LightNetwork network, PeerId peer,
                               const chain::HistoryClaim& claim, const chain::Hash256& seed,
                               std::uint64_t now_ms, SamplerOutlets outlets,
                               const SamplingLimits& limits)
    : peer_(peer),
      outlets_(std::move(outlets)),
      limits_(limits),
      judge_(std::move(network), claim, seed, now_ms) {}

void HistorySampler::start(SteadyTime now) {
    started_ = now;
    heard_ = now;
    go_on(now);
}

// Takes note of an answer; says whether there is room for it.
bool HistorySampler::count(std::size_t bytes, SteadyTime now) {
    heard_ = now;
    status_.bytes += bytes;
    if (status_.bytes <= limits_.max_bytes) return true;
    stop(SamplingStop::too_large, std::nullopt);
    return false;
}

void HistorySampler::unsolicited() {
    outlets_.report(peer_, ProtocolOffence::unsolicited);
}

void HistorySampler::on_tail(PeerId peer, const Tail& message, SteadyTime now) {
    if (!is_ours(peer)) return;
    if (!open_tail_ || message.tip != judge_.claim().tip) return unsolicited();
    open_tail_ = false;
    if (!message.tail) return stop(SamplingStop::withheld, std::nullopt);
    if (!count(chain::encoded_size(message), now)) return;
    judge_.take_tail(*message.tail);
    go_on(now);
}

void HistorySampler::on_samples(PeerId peer, const Samples& message, SteadyTime now) {
    if (!is_ours(peer)) return;
    if (!open_samples_ || message.anchor != *open_samples_) return unsolicited();
    open_samples_.reset();
    if (message.samples.empty()) return stop(SamplingStop::withheld, std::nullopt);
    if (!count(chain::encoded_size(message), now)) return;
    judge_.take_samples(message.samples);
    go_on(now);
}

void HistorySampler::on_evidence(PeerId peer, Evidence message, SteadyTime now) {
    if (!is_ours(peer)) return;
    if (open_evidence_.erase(message.id) == 0) return unsolicited();
    if (!count(chain::encoded_size(message), now)) return;
    judge_.take_evidence(message.id, std::move(message.evidence));
    go_on(now);
}

void HistorySampler::on_task_data(PeerId peer, const TaskData& message, SteadyTime now) {
    if (!is_ours(peer)) return;
    if (open_chunks_.erase({message.task, message.chunk}) == 0) return unsolicited();
    if (message.bytes.empty()) {
        return stop(SamplingStop::withheld, ProtocolOffence::false_evidence);
    }
    if (!count(chain::encoded_size(message), now)) return;
    judge_.take_chunk(message.task, message.chunk, message.bytes);
    go_on(now);
}

void HistorySampler::on_not_found(PeerId peer, const NotFound& message, SteadyTime /*now*/) {
    if (!is_ours(peer)) return;
    for (const ItemId& item : message.items) {
        if (item.kind != ItemKind::block || !open_evidence_.contains(item.id)) continue;
        return stop(SamplingStop::withheld, ProtocolOffence::false_evidence);
    }
}

void HistorySampler::peer_left(PeerId peer) {
    if (is_ours(peer)) stop(SamplingStop::peer_left, std::nullopt);
}

void HistorySampler::job_done(const chain::LightJobResult& result, SteadyTime now) {
    if (ended_) return;
    judge_.take_result(result);
    go_on(now);
}

void HistorySampler::tick(SteadyTime now) {
    if (ended_) return;
    const bool waits =
        open_tail_ || open_samples_ || !open_evidence_.empty() || !open_chunks_.empty();
    if ((waits && now - heard_ > limits_.timeout) || now - started_ > limits_.max_time) {
        stop(SamplingStop::stalled, ProtocolOffence::stalled);
    }
}

// Whatever the judge wants next.
void HistorySampler::go_on(SteadyTime now) {
    if (const auto& verdict = judge_.verdict()) {
        if (*verdict) return end({peer_, judge_.claim(), **verdict});
        const chain::HistoryFailure& failure = verdict->error();
        if (const auto offence = offence_of(failure)) outlets_.report(peer_, *offence);
        return end({peer_, judge_.claim(), failure});
    }
    for (const chain::HistoryQuestion& question : judge_.ask()) {
        ++status_.questions;
        heard_ = now;
        ask(question);
    }
    for (chain::LightJob& job : judge_.jobs()) {
        ++status_.jobs;
        outlets_.run(std::move(job));
    }
}

void HistorySampler::ask(const chain::HistoryQuestion& question) {
    if (const auto* tail = std::get_if<chain::AskTail>(&question)) {
        open_tail_ = true;
        outlets_.send(peer_, GetTail{tail->tip, tail->blocks});
    } else if (const auto* samples = std::get_if<chain::AskSamples>(&question)) {
        open_samples_ = samples->anchor;
        outlets_.send(peer_, GetSamples{samples->anchor, samples->works});
    } else if (const auto* evidence = std::get_if<chain::AskEvidence>(&question)) {
        open_evidence_.insert(evidence->id);
        outlets_.send(peer_, GetEvidence{evidence->id});
    } else {
        const auto& chunk = std::get<chain::AskChunk>(question);
        open_chunks_.emplace(chunk.task, chunk.chunk);
        outlets_.send(peer_, GetTaskData{chunk.task, chunk.chunk});
    }
}

void HistorySampler::stop(SamplingStop why, std::optional<ProtocolOffence> offence) {
    if (offence) outlets_.report(peer_, *offence);
    end({peer_, judge_.claim(), why});
}

void HistorySampler::end(const SamplingVerdict& verdict) {
    ended_ = true;
    outlets_.finished(verdict);
}

}  // namespace gradient::node
