// The order in which evidence, data and replays are asked for, and their limits.
#include "chain/light/work_judge.hpp"
#include "chain/state/entries.hpp"
#include "chain/types/data.hpp"
#include "tests/support/history_teller.hpp"
#include "tests/support/small_network.hpp"

#include <gtest/gtest.h>

#include <optional>

namespace gradient::chain {
namespace {

class LightWork : public testing::Test {
  protected:
    // A user task that a forger's own state holds.
    TaskRecord record_of(std::uint32_t id, std::uint64_t data_bytes = kDataChunkBytes + 10) const {
        TaskRecord record = network_.task->record;
        record.id = id;
        record.data_bytes = data_bytes;
        record.unit_budget = 1;
        return record;
    }
    static StateLeaf leaf_of(const TaskRecord& record) {
        return {state_path(task_key(record.id)), state_value_hash(encode(record))};
    }
    Header header_of(const TaskRecord& record) {
        Header header;
        header.tmpl.height = 1;
        header.tmpl.lane = ++lane_;
        header.tmpl.task = record.id;
        const StateLeaf leaf = leaf_of(record);
        header.tmpl.state_root = state_leaf_hash(leaf.path, leaf.value_hash);
        return header;
    }
    static StandaloneEvidence evidence_of(const TaskRecord& record) {
        StandaloneEvidence evidence;
        if (record.id != kGenesisTask) {
            evidence.task = TaskProof{encode(record), {{}, leaf_of(record)}};
        }
        return evidence;
    }
    // Answers one question with what there is of a record; chunks are zeros.
    static Result<void, HistoryFailure> answer(WorkJudge& judge, const WorkQuestion& question,
                                               const TaskRecord& record) {
        if (const auto* evidence = std::get_if<AskEvidence>(&question)) {
            return judge.take_evidence(evidence->id, evidence_of(record));
        }
        const auto& chunk = std::get<AskChunk>(question);
        const std::uint64_t first = std::uint64_t{chunk.chunk} * kDataChunkBytes;
        const Bytes bytes(std::min<std::uint64_t>(kDataChunkBytes, record.data_bytes - first));
        return judge.take_chunk(chunk.task, chunk.chunk, bytes);
    }

    LightNetwork network_ = test::light_network(*test::small_network());
    std::uint32_t lane_ = 0;
};

TEST_F(LightWork, so_many_headers_are_under_way_and_no_more) {
    const TaskRecord genesis = network_.task->record;
    std::vector<Header> headers;
    for (int i = 0; i < 20; ++i) headers.push_back(header_of(genesis));
    WorkJudge judge(network_, headers);
    auto questions = judge.ask();
    ASSERT_EQ(questions.size(), kOpenEvidence);
    EXPECT_TRUE(judge.ask().empty());
    ASSERT_TRUE(answer(judge, questions[0], genesis));
    EXPECT_TRUE(judge.ask().empty());  // it has become a job
    ASSERT_EQ(judge.jobs().size(), 1U);
    EXPECT_TRUE(judge.ask().empty());
    ASSERT_TRUE(judge.take_result(SharedTask()));
    EXPECT_EQ(judge.ask().size(), 1U);
    EXPECT_EQ(judge.proved(), 1U);
    EXPECT_FALSE(judge.finished());
}

TEST_F(LightWork, what_was_not_asked_for_changes_nothing) {
    const TaskRecord genesis = network_.task->record;
    WorkJudge judge(network_, {header_of(genesis)});
    ASSERT_TRUE(judge.take_evidence(test::hash_of(1), evidence_of(genesis)));
    ASSERT_TRUE(judge.take_chunk(0, 0, Bytes(5)));
    ASSERT_TRUE(judge.take_result(fail(EvidenceError::replay_differs)));
    const auto questions = judge.ask();
    ASSERT_TRUE(answer(judge, questions[0], genesis));
    ASSERT_TRUE(answer(judge, questions[0], genesis));  // twice
    EXPECT_EQ(judge.jobs().size(), 1U);
    EXPECT_FALSE(judge.finished());
    ASSERT_TRUE(judge.take_result(SharedTask()));
    EXPECT_TRUE(judge.finished());
}

TEST_F(LightWork, tasks_come_one_after_another_and_their_data_once) {
    const TaskRecord genesis = network_.task->record;
    const TaskRecord user = record_of(7);
    WorkJudge judge(network_, {header_of(user), header_of(genesis), header_of(user)});
    auto questions = judge.ask();
    ASSERT_EQ(questions.size(), 1U);  // the genesis task's alone
    ASSERT_TRUE(answer(judge, questions[0], genesis));
    ASSERT_EQ(judge.jobs().size(), 1U);
    EXPECT_TRUE(judge.ask().empty());
    ASSERT_TRUE(judge.take_result(SharedTask()));

    questions = judge.ask();
    ASSERT_EQ(questions.size(), 1U);  // names the data
    ASSERT_TRUE(answer(judge, questions[0], user));
    questions = judge.ask();
    EXPECT_EQ(questions, (std::vector<WorkQuestion>{AskChunk{7, 0}, AskChunk{7, 1}}));
    for (const auto& question : questions) ASSERT_TRUE(answer(judge, question, user));
    auto jobs = judge.jobs();
    ASSERT_EQ(jobs.size(), 1U);
    EXPECT_EQ(std::get<TaskJob>(jobs[0]).data->size(), user.data_bytes);
    ASSERT_TRUE(judge.take_result(network_.task));  // stands for the runtime
    EXPECT_EQ(judge.jobs().size(), 1U);
    questions = judge.ask();
    ASSERT_EQ(questions.size(), 1U);
    ASSERT_TRUE(answer(judge, questions[0], user));
    EXPECT_EQ(judge.jobs().size(), 1U);
    ASSERT_TRUE(judge.take_result(SharedTask()));
    EXPECT_FALSE(judge.finished());
    ASSERT_TRUE(judge.take_result(SharedTask()));
    EXPECT_TRUE(judge.finished());
    EXPECT_EQ(judge.proved(), 3U);
}

TEST_F(LightWork, two_records_of_one_task_are_a_lie) {
    const TaskRecord one = record_of(7);
    TaskRecord other = one;
    other.unit_budget = 2;
    WorkJudge judge(network_, {header_of(one), header_of(other)});
    auto questions = judge.ask();
    ASSERT_TRUE(answer(judge, questions[0], one));
    for (const auto& question : judge.ask()) ASSERT_TRUE(answer(judge, question, one));
    ASSERT_EQ(judge.jobs().size(), 1U);
    ASSERT_TRUE(judge.take_result(network_.task));
    questions = judge.ask();
    const auto taken = answer(judge, questions[0], other);
    ASSERT_FALSE(taken);
    EXPECT_EQ(taken.error(), HistoryFailure(HistoryFault::task_changed));
}

TEST_F(LightWork, data_are_fetched_up_to_a_limit) {
    const std::uint32_t most = kMaxTaskData / kMaxDataBytes;
    std::vector<Header> headers;
    for (std::uint32_t id = 1; id <= most + 1; ++id) {
        headers.push_back(header_of(record_of(id, kMaxDataBytes)));
    }
    WorkJudge judge(network_, headers);
    for (std::uint32_t id = 1; id <= most + 1; ++id) {
        const TaskRecord record = record_of(id, kMaxDataBytes);
        const auto first = answer(judge, judge.ask().at(0), record);
        if (id == most + 1) {
            ASSERT_FALSE(first);
            EXPECT_EQ(first.error(), HistoryFailure(HistoryFault::too_much_data));
            EXPECT_FALSE(is_lie(first.error()));
            return;
        }
        ASSERT_TRUE(first) << id;
        std::size_t chunks = 0;
        for (auto asked = judge.ask(); !asked.empty(); asked = judge.ask()) {
            EXPECT_LE(asked.size(), kOpenChunks);
            for (const auto& chunk : asked) ASSERT_TRUE(answer(judge, chunk, record));
            chunks += asked.size();
        }
        EXPECT_EQ(chunks, kMaxDataChunks);
        ASSERT_EQ(judge.jobs().size(), 1U);
        ASSERT_TRUE(judge.take_result(network_.task));
        ASSERT_EQ(judge.jobs().size(), 1U);
        ASSERT_TRUE(judge.take_result(SharedTask()));
    }
}

}  // namespace
}  // namespace gradient::chain
