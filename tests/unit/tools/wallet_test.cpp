#include "tools/wallet/wallet.hpp"

#include "chain/crypto/address.hpp"
#include "node/setup/failure.hpp"
#include "tests/support/temporary_directory.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <sstream>

namespace gradient::wallet {
namespace {

using node::ExitCode;
using std::filesystem::path;

/// Runs a function that must end in a Failure with this code and these words.
void expect_failure(ExitCode code, const std::string& words,
                    const std::function<void()>& function) {
    try {
        function();
        ADD_FAILURE() << "accepted; expected: " << words;
    } catch (const node::Failure& failure) {
        EXPECT_EQ(failure.code(), code) << failure.what();
        EXPECT_NE(std::string(failure.what()).find(words), std::string::npos) << failure.what();
    }
}

std::string content_of(const path& file) {
    std::ostringstream text;
    text << std::ifstream(file, std::ios::binary).rdbuf();
    return text.str();
}

::mode_t mode_of(const path& file) {
    struct stat status {};
    EXPECT_EQ(::stat(file.c_str(), &status), 0);
    return status.st_mode & 0777;
}

class WalletFiles : public ::testing::Test {
  protected:
    TemporaryDirectory directory_;
    path folder_ = directory_.path() / "deep" / "wallet";
    Wallet wallet_{folder_};
    Passphrase passphrase_{"correct horse"};
};

TEST_F(WalletFiles, a_key_made_is_a_key_opened) {
    const auto entry = wallet_.create("alice", passphrase_, "test");
    EXPECT_EQ(entry.name, "alice");
    EXPECT_TRUE(entry.address.starts_with("test1q"));
    const auto key = wallet_.open("alice", passphrase_);
    EXPECT_EQ(chain::to_text(chain::address_of(key.public_key()), "test"), entry.address);
    EXPECT_EQ(wallet_.find("alice"), entry);
}

TEST_F(WalletFiles, a_key_that_exists_can_be_added) {
    const auto key = chain::SecretKey::generate();
    wallet_.add("miner", *key, passphrase_, "test");
    EXPECT_TRUE(std::ranges::equal(wallet_.open("miner", passphrase_).seed(), key->seed()));
}

TEST_F(WalletFiles, only_the_owner_may_read_and_nothing_else_is_left) {
    wallet_.create("alice", passphrase_, "test");
    EXPECT_EQ(mode_of(folder_), 0700U);
    EXPECT_EQ(mode_of(wallet_.file_of("alice")), 0600U);
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 1);
    ::chmod(wallet_.file_of("alice").c_str(), 0640);
    expect_failure(ExitCode::data_directory, "chmod 600",
                   [&] { static_cast<void>(wallet_.open("alice", passphrase_)); });
}

TEST_F(WalletFiles, a_key_is_never_written_over) {
    wallet_.create("alice", passphrase_, "test");
    const auto before = content_of(wallet_.file_of("alice"));
    expect_failure(ExitCode::usage, "already",
                   [&] { wallet_.create("alice", passphrase_, "test"); });
    EXPECT_EQ(content_of(wallet_.file_of("alice")), before);
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 1);
}

TEST_F(WalletFiles, a_wrong_passphrase_is_told_from_a_damaged_file) {
    wallet_.create("alice", passphrase_, "test");
    expect_failure(ExitCode::usage, "alice.key.json: the passphrase is wrong", [&] {
        static_cast<void>(wallet_.open("alice", Passphrase("incorrect horse")));
    });
    auto text = content_of(wallet_.file_of("alice"));
    const auto digit = text.find("\"ciphertext\":\"") + 20;
    text[digit] = text[digit] == '0' ? '1' : '0';
    std::ofstream(wallet_.file_of("alice")) << text;
    expect_failure(ExitCode::data_directory, "damaged",
                   [&] { static_cast<void>(wallet_.open("alice", passphrase_)); });
}

TEST_F(WalletFiles, lists_keys_by_name_and_damaged_ones_with_their_error) {
    EXPECT_TRUE(wallet_.list().empty());
    const auto bob = wallet_.create("bob", passphrase_, "test");
    const auto alice = wallet_.create("alice", passphrase_, "test");
    std::ofstream(wallet_.file_of("eve")) << "{}";
    ::chmod(wallet_.file_of("eve").c_str(), 0600);
    std::ofstream(folder_ / "notes.txt") << "not a key";
    EXPECT_EQ(wallet_.list(),
              (std::vector<WalletEntry>{alice, bob, WalletEntry{"eve", "", SealError::damaged}}));
}

TEST_F(WalletFiles, refuses_names_that_are_no_names) {
    for (const std::string name : {"", "../alice", "Alice", "-a", "_a", "a b", "a.b", "a/b"})
        expect_failure(ExitCode::usage, "name", [&] { wallet_.create(name, passphrase_, "test"); });
    EXPECT_FALSE(is_key_name(std::string(33, 'a')));
    EXPECT_TRUE(is_key_name(std::string(32, 'a')));
    EXPECT_TRUE(is_key_name("7-of_9"));
    expect_failure(ExitCode::usage, "no key of that name",
                   [&] { static_cast<void>(wallet_.open("nobody", passphrase_)); });
    EXPECT_FALSE(std::filesystem::exists(folder_));
}

// ------------------------------------------------------------------------------------------------
// passphrases

class PassphraseSources : public ::testing::Test {
  protected:
    ~PassphraseSources() override { ::unsetenv(kPassphraseVariable); }

    path write(const std::string& content, ::mode_t mode = 0600) const {
        const auto file = directory_.path() / "passphrase";
        std::ofstream(file, std::ios::binary) << content;
        ::chmod(file.c_str(), mode);
        return file;
    }

    TemporaryDirectory directory_;
};

TEST_F(PassphraseSources, the_first_line_of_a_file) {
    EXPECT_EQ(read_passphrase(write("correct horse"), PassphraseUse::create).text(),
              "correct horse");
    EXPECT_EQ(read_passphrase(write("correct horse\r\nmore\n"), PassphraseUse::create).text(),
              "correct horse");
    EXPECT_EQ(read_passphrase(write(std::string(1024, 'x') + "\n"), PassphraseUse::open).text(),
              std::string(1024, 'x'));
}

TEST_F(PassphraseSources, the_environment_if_there_is_no_file) {
    ::setenv(kPassphraseVariable, "from the environment", 1);
    EXPECT_EQ(read_passphrase(std::nullopt, PassphraseUse::create).text(), "from the environment");
    EXPECT_EQ(read_passphrase(write("from the file"), PassphraseUse::create).text(),
              "from the file");
}

TEST_F(PassphraseSources, refuses_what_is_unfit) {
    const auto refused = [&](const std::string& words, const path& file, PassphraseUse use) {
        expect_failure(ExitCode::usage, words,
                       [&] { static_cast<void>(read_passphrase(file, use)); });
    };
    refused("Others may read", write("correct horse", 0644), PassphraseUse::open);
    refused("No such file", directory_.path() / "none", PassphraseUse::open);
    refused("empty", write(""), PassphraseUse::open);
    refused("empty", write("\nsecond line"), PassphraseUse::open);
    refused("longer than 1024", write(std::string(1025, 'x')), PassphraseUse::open);
    refused("at least 8", write("1234567"), PassphraseUse::create);
    EXPECT_EQ(read_passphrase(write("1234567"), PassphraseUse::open).text(), "1234567");
    EXPECT_EQ(read_passphrase(write("12345678"), PassphraseUse::create).text(), "12345678");
}

TEST(Passphrase, moves_with_its_text) {
    Passphrase first("correct horse");
    Passphrase second = std::move(first);
    EXPECT_EQ(second.text(), "correct horse");
}

}  // namespace
}  // namespace gradient::wallet
