#include "node/ledger/mempool_journal.hpp"

#include "tests/support/signed_transactions.hpp"
#include "tests/support/temporary_directory.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace gradient::node {
namespace {

class Journal : public testing::Test {
  protected:
    static JournaledTransaction numbered(std::uint64_t number) {
        chain::SignedTransaction transaction;
        transaction.nonce = number;
        transaction.fee = chain::Amount::from_units(100 + number).value();
        transaction.action =
            chain::Transfer{chain::Address{}, chain::Amount::from_units(1).value()};
        test::sign(transaction, test::numbered_key(1), chain::Hash256());
        return {1'000 + number,
                std::make_shared<const chain::SignedTransaction>(std::move(transaction))};
    }
    // What a journal on the file holds, by nonce; times and contents must be the numbered ones.
    std::vector<std::uint64_t> held() {
        std::vector<std::uint64_t> numbers;
        for (const auto& one : MempoolJournal(file_).take_read()) {
            const std::uint64_t number = one.transaction->nonce;
            EXPECT_EQ(*one.transaction, *numbered(number).transaction);
            EXPECT_EQ(one.time_ms, numbered(number).time_ms);
            numbers.push_back(number);
        }
        return numbers;
    }
    std::string text() { return read_file(file_, MempoolJournal::kMaxBytes, ExitCode::failure); }
    void replace(const std::string& text) { write_file_atomically(file_, text, 0600); }

    TemporaryDirectory directory_;
    std::filesystem::path file_ = directory_.path() / "mempool.journal";
};

using Numbers = std::vector<std::uint64_t>;

TEST_F(Journal, holds_what_was_appended_though_nobody_closed_it) {
    MempoolJournal journal(file_);
    EXPECT_TRUE(journal.take_read().empty());
    for (const std::uint64_t number : {3U, 1U, 2U}) journal.append(numbered(number));
    EXPECT_EQ(held(), (Numbers{3, 1, 2}));
    EXPECT_EQ(journal.size_bytes(), text().size());
    journal.sync_job()();
    struct stat status {};
    ASSERT_EQ(::stat(file_.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST_F(Journal, goes_on_behind_what_it_held) {
    MempoolJournal(file_).append(numbered(1));
    MempoolJournal(file_).append(numbered(2));
    EXPECT_EQ(held(), (Numbers{1, 2}));
}

TEST_F(Journal, loses_only_a_torn_record_wherever_it_is_torn) {
    MempoolJournal(file_).append(numbered(1));
    const std::size_t whole = text().size();
    MempoolJournal(file_).append(numbered(2));
    const std::string good = text();
    for (std::size_t size = whole; size < good.size(); ++size) {
        SCOPED_TRACE(size);
        replace(good.substr(0, size));
        {
            MempoolJournal journal(file_);
            EXPECT_EQ(journal.torn_bytes(), size - whole);
            EXPECT_EQ(journal.size_bytes(), whole);
            journal.append(numbered(3));
        }
        EXPECT_EQ(held(), (Numbers{1, 3}));
    }
}

TEST_F(Journal, ends_at_a_record_that_has_another_checksum) {
    for (const std::uint64_t number : {1U, 2U, 3U}) MempoolJournal(file_).append(numbered(number));
    const std::string good = text();
    const std::size_t record = (good.size() - MempoolJournal::kMagic.size()) / 3;
    for (std::size_t at = 0; at < record; ++at) {
        SCOPED_TRACE(at);
        std::string bad = good;
        bad[MempoolJournal::kMagic.size() + record + at] ^= 1;
        replace(bad);
        EXPECT_EQ(held(), Numbers{1});
        EXPECT_EQ(text(), good.substr(0, MempoolJournal::kMagic.size() + record));
    }
}

TEST_F(Journal, a_length_beyond_the_file_reserves_nothing) {
    replace(std::string(MempoolJournal::kMagic) + std::string(12, '\xff'));
    EXPECT_EQ(held(), Numbers{});
}

TEST_F(Journal, is_written_anew_in_one_step) {
    MempoolJournal journal(file_);
    for (const std::uint64_t number : {1U, 2U, 3U}) journal.append(numbered(number));
    const auto job = journal.sync_job();
    const std::vector<JournaledTransaction> kept{numbered(2)};
    journal.rewrite(kept);
    EXPECT_EQ(held(), Numbers{2});
    EXPECT_EQ(journal.size_bytes(), text().size());
    job();  // of the file that has been replaced
    journal.append(numbered(4));
    EXPECT_EQ(held(), (Numbers{2, 4}));
}

TEST_F(Journal, another_file_is_refused_with_the_remedy_and_left_alone) {
    replace("something else");
    try {
        MempoolJournal journal(file_);
        FAIL();
    } catch (const Failure& failure) {
        EXPECT_EQ(failure.code(), ExitCode::data_directory);
        EXPECT_NE(std::string(failure.what()).find("remove it"), std::string::npos);
    }
    EXPECT_EQ(text(), "something else");
}

}  // namespace
}  // namespace gradient::node
