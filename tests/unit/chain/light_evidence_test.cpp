// Standalone work evidence: what stores keep of every block, and who believes it.
#include "chain/light/standalone_evidence.hpp"
#include "chain/types/data.hpp"
#include "chain/work/delta_codec.hpp"
#include "tests/support/share_chain.hpp"

#include <gtest/gtest.h>

#include <functional>

namespace gradient::chain {
namespace {

constexpr std::uint8_t kOwner = 8;  // never mines

class LightEvidence : public ShareChain {
  protected:
    // A block whose winner has so many units.
    SharedBlock block_of_units(std::uint32_t units) {
        const BlockTemplate on = work();
        model::Trainer& trainer = trainers_.trainer_of(on.parent->task());
        for (std::uint32_t number = 5000;; ++number) {
            Lane lane = on.start_lane(number);
            while (lane.units() < units && *lane.step(trainer) != TicketClass::win) {
            }
            if (lane.units() != units ||
                lane.targets().classify(lane.outcome(units).digest) != TicketClass::win) {
                continue;
            }
            auto built = build_segment(lane, test::tiny_key(7), trainer);
            CHECK(built);
            return std::make_shared<const Block>(on.assemble_block(*std::move(built)));
        }
    }
    // Mines until a block of that many units or more is the tip.
    SharedBlock take_units(std::uint32_t units) {
        const SharedBlock block = block_of_units(units);
        take(block);
        return block;
    }
    void create_task() {
        extend_by(14);
        extend({{}, {sign(7, Transfer{address(kOwner), Amount::of_coins(100)})}});
        CreateTask made;
        made.shape = test::cheapest_text_shape();
        made.data_bytes = text_.size();
        made.chunks = test::chunk_ids(text_);
        made.unit_budget = 1'000'000;
        made.pay_per_hit = Amount::of_coins(1);
        made.escrow = Amount::of_coins(50);
        extend({{}, {sign(kOwner, PublishData{text_}), sign(kOwner, made, 1)}});
        while (ledger_->tip()->context().task == kGenesisTask) extend();
    }
    StandaloneEvidence evidence_of(const Block& block) const {
        const auto evidence = ledger_->evidence(header_id(block.header));
        CHECK(evidence && *evidence);
        return **evidence;
    }
    Result<void, EvidenceError> judge(const Header& header, const StandaloneEvidence& evidence) {
        TRY_ASSIGN(const TaskRecord record,
                   proved_task(header, evidence, network_->task->record, params()));
        SharedTask task = network_->task;
        if (record.id != kGenesisTask) {
            TRY_ASSIGN(task, make_proved_task(record, text_));
        }
        return verify_standalone_evidence(header, evidence, *task, params(),
                                          trainers_.trainer_of(task));
    }
    void expect_refused(const Header& header, const StandaloneEvidence& evidence,
                        EvidenceError expected) {
        const auto verdict = judge(header, evidence);
        ASSERT_FALSE(verdict) << describe(expected);
        EXPECT_EQ(verdict.error(), expected) << describe(verdict.error());
    }
    // The evidence with one thing changed.
    static StandaloneEvidence with(StandaloneEvidence evidence,
                                   const std::function<void(StandaloneEvidence&)>& change) {
        change(evidence);
        return evidence;
    }
    std::vector<std::int32_t> parameters_of(const StandaloneEvidence& evidence) const {
        const auto model = require_parameters(state(), model_key(kGenesisTask));
        const std::vector<std::int32_t> zeros(model->size());
        return *decode_delta(zeros, evidence.parameters);
    }

    Bytes text_ = test::random_letters(5000, 1);
};

TEST_F(LightEvidence, of_every_block_is_kept_and_shows_its_work) {
    std::vector<SharedBlock> blocks;
    for (const std::uint32_t units : {1U, 2U, 3U, 12U}) blocks.push_back(take_units(units));
    for (int i = 0; i < 4; ++i) blocks.push_back(extend());
    for (const SharedBlock& block : blocks) {
        const auto evidence = evidence_of(*block);
        EXPECT_FALSE(evidence.task);
        EXPECT_EQ(evidence.previous_digest.is_zero(), block->header.units == 1);
        const auto verdict = judge(block->header, evidence);
        EXPECT_TRUE(verdict) << describe(verdict.error()) << ", K " << block->header.units;
    }
    EXPECT_FALSE(*ledger_->evidence(network_->genesis.id));
    EXPECT_FALSE(*ledger_->evidence(test::hash_of(9)));
}

TEST_F(LightEvidence, of_a_user_task_block_proves_the_task) {
    create_task();
    const SharedBlock block = extend();
    ASSERT_EQ(block->header.tmpl.task, 1U);
    const auto honest = evidence_of(*block);
    ASSERT_TRUE(honest.task);
    const auto verdict = judge(block->header, honest);
    ASSERT_TRUE(verdict) << describe(verdict.error());

    const Header& header = block->header;
    expect_refused(header, with(honest, [](auto& its) { its.task.reset(); }),
                   EvidenceError::wrong_task_proof);
    expect_refused(header, with(honest, [](auto& its) { its.task->entry.back() ^= 1; }),
                   EvidenceError::wrong_task_proof);
    expect_refused(header, with(honest, [](auto& its) { its.task->proof.leaf.reset(); }),
                   EvidenceError::wrong_task_proof);
    text_.back() ^= 1;
    expect_refused(header, honest, EvidenceError::bad_data);
    text_.pop_back();
    expect_refused(header, honest, EvidenceError::bad_data);
}

// The entry is in the state under the right key, but no user task may be like that: the state is a
// forger's own.
TEST_F(LightEvidence, of_a_task_that_no_block_may_train_is_refused) {
    create_task();
    const SharedBlock block = extend();
    const auto honest = evidence_of(*block);
    const auto forge = [&](const std::function<void(TaskRecord&)>& change) {
        auto record = *decode_exact<TaskRecord>(honest.task->entry);
        change(record);
        StandaloneEvidence forged = honest;
        forged.task->entry = encode(record);
        const Hash256 path = state_path(task_key(1));
        const Hash256 value = state_value_hash(forged.task->entry);
        forged.task->proof = {{}, StateLeaf{path, value}};
        Header header = block->header;
        header.tmpl.state_root = state_leaf_hash(path, value);
        const auto verdict = proved_task(header, forged, network_->task->record, params());
        return verdict ? std::optional<EvidenceError>() : verdict.error();
    };
    EXPECT_EQ(forge([](TaskRecord&) {}), std::nullopt);
    EXPECT_EQ(forge([](TaskRecord& its) { its.id = 2; }), EvidenceError::bad_task);
    EXPECT_EQ(forge([](TaskRecord& its) { its.shape.width = 4096; }), EvidenceError::bad_task);
    EXPECT_EQ(forge([](TaskRecord& its) { its.shape.steps_per_unit = 4096; }),
              EvidenceError::bad_task);
    EXPECT_EQ(forge([](TaskRecord& its) { its.data_bytes = 0; }), EvidenceError::bad_task);
    EXPECT_EQ(forge([](TaskRecord& its) { its.data_bytes = kMaxDataBytes + 1; }),
              EvidenceError::bad_task);

    // Data of which every row is the same has the right root and no substance.
    TaskRecord record = *decode_exact<TaskRecord>(honest.task->entry);
    const Bytes dull(5000, 'a');
    record.data_root = data_root(dull);
    EXPECT_EQ(make_proved_task(record, dull).error(), EvidenceError::bad_data);
}

TEST_F(LightEvidence, every_falsification_is_refused_by_its_own_reason) {
    const SharedBlock block = take_units(6);
    const auto honest = evidence_of(*block);
    const Header& header = block->header;
    ASSERT_TRUE(judge(header, honest));

    Header changed = header;
    changed.units = 0;
    expect_refused(changed, honest, EvidenceError::bad_header);
    changed = header;
    changed.tmpl.bits = 0;
    expect_refused(changed, honest, EvidenceError::bad_header);
    changed = header;
    while (check_claim(changed, network_->task->unit_work, params())) {
        ++changed.last_digest.bytes[0];
    }
    expect_refused(changed, honest, EvidenceError::ticket_above_target);
    // A digest that wins and that nobody has computed.
    changed = header;
    do {
        ++changed.last_digest.bytes[0];
    } while (!check_claim(changed, network_->task->unit_work, params()));
    expect_refused(changed, honest, EvidenceError::replay_differs);
    // The same lane's win under another template.
    changed = header;
    ++changed.tmpl.time_ms;
    expect_refused(changed, honest, EvidenceError::replay_differs);
    changed = header;
    ++changed.units;
    expect_refused(changed, honest, EvidenceError::replay_differs);

    const auto replays = [&](const std::function<void(StandaloneEvidence&)>& change) {
        expect_refused(header, with(honest, change), EvidenceError::replay_differs);
    };
    replays([](auto& its) { its.previous_digest.bytes[0] ^= 1; });
    replays([](auto& its) { ++its.loss; });
    replays([](auto& its) { its.gradient.bytes[0] ^= 1; });
    auto parameters = parameters_of(honest);
    const std::vector<std::int32_t> zeros(parameters.size());
    ++parameters[0];
    replays([&](auto& its) { its.parameters = encode_delta(zeros, parameters); });
    parameters[0] = 2'000'000'000;  // the solver core refuses it
    replays([&](auto& its) { its.parameters = encode_delta(zeros, parameters); });

    expect_refused(header, with(honest, [](auto& its) { its.parameters.push_back(0); }),
                   EvidenceError::bad_coding);
    expect_refused(header, with(honest, [](auto& its) { its.parameters.clear(); }),
                   EvidenceError::bad_coding);
    expect_refused(header, with(honest, [](auto& its) { its.task.emplace(); }),
                   EvidenceError::wrong_task_proof);
}

TEST_F(LightEvidence, of_a_first_unit_has_nothing_before_it) {
    const SharedBlock block = take_units(1);
    const auto honest = evidence_of(*block);
    ASSERT_TRUE(judge(block->header, honest));
    const auto refuses = [&](const std::function<void(StandaloneEvidence&)>& change) {
        expect_refused(block->header, with(honest, change), EvidenceError::bad_start);
    };
    refuses([](auto& its) { its.previous_digest.bytes[0] = 1; });
    refuses([](auto& its) { its.loss = 1; });
    refuses([](auto& its) { its.gradient.bytes[0] = 1; });
}

TEST_F(LightEvidence, outlives_a_change_of_branch) {
    const auto fork = ledger_->tip();
    const SharedBlock left = extend();
    const SharedBlock right = block_of(work({}, 2, fork), 2);
    ASSERT_EQ(submit(right).value(), CommitOutcome::side_branch);
    const SharedBlock above =
        block_of(work({}, 2, *ledger_->state_after(header_id(right->header))), 2);
    ASSERT_EQ(submit(above).value(), CommitOutcome::reorganised);
    for (const SharedBlock& block : {left, right, above}) {
        EXPECT_TRUE(judge(block->header, evidence_of(*block)));
    }
}

}  // namespace
}  // namespace gradient::chain
