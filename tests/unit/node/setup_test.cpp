#include "node/rpc/cookie.hpp"
#include "node/setup/data_directory.hpp"
#include "node/setup/files.hpp"
#include "node/setup/key_file.hpp"
#include "node/setup/settings.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace gradient::node {
namespace {

namespace fs = std::filesystem;

class Setup : public testing::Test {
  protected:
    Setup()
        : folder_(fs::temp_directory_path() /
                  ("gradient_setup_test_" + std::to_string(::getpid()))) {
        fs::remove_all(folder_);
        fs::create_directories(folder_);
    }
    ~Setup() override { fs::remove_all(folder_); }

    static void write(const fs::path& file, const std::string& text) {
        std::ofstream(file) << text;
    }

    static unsigned mode(const fs::path& file) {
        struct stat status {};
        EXPECT_EQ(::stat(file.c_str(), &status), 0);
        return status.st_mode & 0777U;
    }

    // The failure that a call ends in.
    template <class Call>
    static Failure failure_of(Call call) {
        try {
            static_cast<void>(call());
        } catch (const Failure& failure) {
            return failure;
        }
        ADD_FAILURE() << "nothing failed";
        return {ExitCode::ok, ""};
    }

    static std::variant<Settings, EarlyExit> parse(std::vector<std::string> arguments) {
        std::vector<const char*> argv{"gradientd"};
        for (const auto& argument : arguments) argv.push_back(argument.c_str());
        return parse_settings(static_cast<int>(argv.size()), argv.data());
    }

    fs::path folder_;
};

TEST_F(Setup, settings_come_from_the_command_line_before_the_file_before_the_defaults) {
    write(folder_ / "gradient.conf", "lanes=3\nrpc-port=1234\nmine=false\n");
    const auto settings = std::get<Settings>(parse({"--data", folder_.string(), "--lanes", "2"}));
    EXPECT_EQ(settings.lanes, 2U);
    EXPECT_EQ(settings.rpc.port, 1234);
    EXPECT_FALSE(settings.mine);
    EXPECT_EQ(settings.engine, "best");
    EXPECT_EQ(settings.rpc.address, "127.0.0.1");
}

TEST_F(Setup, settings_refuse_what_they_do_not_know) {
    for (const std::vector<std::string>& arguments :
         std::vector<std::vector<std::string>>{{"--lanes", "0"},
                                               {"--lanes", "x"},
                                               {"--rpc-port", "65536"},
                                               {"--engine", "abacus"},
                                               {"--rpc-address", "example"},
                                               {"--unknown"},
                                               {"--config", "/nonexistent"},
                                               {"extra"}}) {
        const auto result = parse(arguments);
        ASSERT_TRUE(std::holds_alternative<EarlyExit>(result)) << arguments[0];
        EXPECT_EQ(std::get<EarlyExit>(result).code, ExitCode::usage) << arguments[0];
        EXPECT_FALSE(std::get<EarlyExit>(result).text.empty());
    }
    write(folder_ / "gradient.conf", "colour=blue\n");
    EXPECT_EQ(std::get<EarlyExit>(parse({"--data", folder_.string()})).code, ExitCode::usage);
    EXPECT_EQ(std::get<EarlyExit>(parse({"--version"})).code, ExitCode::ok);
}

TEST_F(Setup, data_directory_can_be_taken_once) {
    const auto path = folder_ / "data";
    {
        const auto mine = DataDirectory::open(path);
        EXPECT_EQ(mode(path), 0700U);
        const auto failure = failure_of([&] { return DataDirectory::open(path); });
        EXPECT_EQ(failure.code(), ExitCode::data_directory);
        const std::string sentence = failure.what();
        EXPECT_NE(sentence.find(path.string()), std::string::npos) << sentence;
        EXPECT_NE(sentence.find("process " + std::to_string(::getpid())), std::string::npos)
            << sentence;
        EXPECT_NE(sentence.find("--data"), std::string::npos) << sentence;
    }
    EXPECT_NO_THROW(static_cast<void>(DataDirectory::open(path)));
}

TEST_F(Setup, data_directory_of_another_format_is_refused) {
    write(folder_ / "format", "2\n");
    const auto failure = failure_of([&] { return DataDirectory::open(folder_); });
    EXPECT_EQ(failure.code(), ExitCode::data_directory);
    EXPECT_NE(std::string(failure.what()).find("version \"2\""), std::string::npos)
        << failure.what();
}

TEST_F(Setup, data_directory_must_be_a_directory) {
    write(folder_ / "file", "");
    EXPECT_EQ(failure_of([&] { return DataDirectory::open(folder_ / "file"); }).code(),
              ExitCode::data_directory);
    EXPECT_EQ(failure_of([&] { return DataDirectory::open_existing(folder_ / "none"); }).code(),
              ExitCode::data_directory);
    EXPECT_FALSE(fs::exists(folder_ / "none"));
}

TEST_F(Setup, data_directory_is_private_with_a_trailing_slash_too) {
    static_cast<void>(DataDirectory::open(folder_ / "a" / "data" / ""));
    EXPECT_EQ(mode(folder_ / "a" / "data"), 0700U);
}

TEST_F(Setup, reader_of_a_directory_that_is_no_data_directory_leaves_it_as_it_is) {
    EXPECT_EQ(failure_of([&] { return DataDirectory::open_existing(folder_); }).code(),
              ExitCode::data_directory);
    EXPECT_TRUE(fs::is_empty(folder_));
    static_cast<void>(DataDirectory::open(folder_ / "data"));
    EXPECT_NO_THROW(static_cast<void>(DataDirectory::open_existing(folder_ / "data")));
}

TEST_F(Setup, path_that_cannot_be_looked_at_is_one_sentence) {
    const auto path = folder_ / std::string(300, 'x');
    const auto failure = failure_of([&] { return path_exists(path); });
    EXPECT_EQ(failure.code(), ExitCode::data_directory);
    EXPECT_NE(std::string(failure.what()).find(path.string()), std::string::npos);
    EXPECT_EQ(failure_of([&] { return DataDirectory::open(path); }).code(),
              ExitCode::data_directory);
}

TEST_F(Setup, key_is_made_once_and_private) {
    const auto file = folder_ / "miner.key";
    const auto key = load_or_create_key(file).public_key();
    EXPECT_EQ(mode(file), 0600U);
    EXPECT_EQ(load_or_create_key(file).public_key(), key);
    fs::permissions(file, fs::perms::group_read, fs::perm_options::add);
    EXPECT_EQ(failure_of([&] { return load_or_create_key(file); }).code(),
              ExitCode::data_directory);
}

TEST_F(Setup, damaged_key_is_refused_and_kept) {
    const auto file = folder_ / "miner.key";
    write(file, "not a key");
    fs::permissions(file, fs::perms::owner_read | fs::perms::owner_write);
    EXPECT_EQ(failure_of([&] { return load_or_create_key(file); }).code(),
              ExitCode::data_directory);
    EXPECT_EQ(fs::file_size(file), 9U);
}

TEST_F(Setup, key_behind_a_dangling_link_is_not_taken_for_none) {
    const auto file = folder_ / "miner.key";
    fs::create_symlink(folder_ / "elsewhere", file);
    EXPECT_EQ(failure_of([&] { return load_or_create_key(file); }).code(),
              ExitCode::data_directory);
    EXPECT_TRUE(fs::is_symlink(file));
    EXPECT_FALSE(fs::exists(folder_ / "elsewhere"));
}

TEST_F(Setup, creating_a_file_replaces_nothing_and_leaves_nothing_beside_it) {
    const auto file = folder_ / "f";
    create_file_atomically(file, "one", 0600);
    EXPECT_EQ(failure_of([&] {
                  create_file_atomically(file, "two", 0600);
                  return 0;
              }).code(),
              ExitCode::storage);
    EXPECT_EQ(read_file(file, 3, ExitCode::failure), "one");
    fs::create_directories(folder_ / "d" / "x");
    EXPECT_EQ(failure_of([&] {
                  write_file_atomically(folder_ / "d", "two", 0600);
                  return 0;
              }).code(),
              ExitCode::storage);
    EXPECT_FALSE(fs::exists(folder_ / "f.new"));
    EXPECT_FALSE(fs::exists(folder_ / "d.new"));
}

TEST_F(Setup, cookie_is_private_new_each_time_and_checked_whole) {
    const auto file = folder_ / ".cookie";
    const auto first = Cookie::create(file);
    EXPECT_EQ(mode(file), 0600U);
    const auto same = Cookie::read(file);
    EXPECT_TRUE(first.accepts(same.authorization()));
    const auto second = Cookie::create(file);
    EXPECT_FALSE(second.accepts(first.authorization()));
    std::string header = second.authorization();
    EXPECT_TRUE(second.accepts(header));
    header.replace(0, 5, "bASIC");
    EXPECT_TRUE(second.accepts(header));
    for (std::size_t i = 0; i < header.size(); ++i) {
        std::string wrong = header;
        wrong[i] = wrong[i] == 'A' ? 'B' : 'A';
        EXPECT_FALSE(second.accepts(wrong)) << i;
    }
    EXPECT_FALSE(second.accepts(""));
    EXPECT_FALSE(second.accepts(header + "A"));
    EXPECT_FALSE(second.accepts(header.substr(0, header.size() - 1)));
}

TEST(Base64, goes_both_ways) {
    const std::string bytes("\x00\xff\x10\x80", 4);
    for (std::size_t size = 0; size <= bytes.size(); ++size) {
        const auto part = bytes.substr(0, size);
        EXPECT_EQ(base64_decode(base64(chain::as_bytes(part))), part);
    }
    EXPECT_THROW(static_cast<void>(base64_decode("abc")), std::invalid_argument);
    EXPECT_THROW(static_cast<void>(base64_decode("a*==")), std::invalid_argument);
}

TEST_F(Setup, files_are_replaced_in_one_step_and_read_within_a_limit) {
    const auto file = folder_ / "f";
    write_file_atomically(file, "one", 0600);
    write_file_atomically(file, "two", 0644);
    EXPECT_EQ(mode(file), 0644U);
    EXPECT_EQ(read_file(file, 3, ExitCode::failure), "two");
    EXPECT_EQ(failure_of([&] { return read_file(file, 2, ExitCode::chain_spec); }).code(),
              ExitCode::chain_spec);
    EXPECT_EQ(failure_of([&] { return read_file(folder_, 9, ExitCode::chain_spec); }).code(),
              ExitCode::chain_spec);
    EXPECT_EQ(failure_of([&] { return read_file(folder_ / "x", 9, ExitCode::chain_spec); }).code(),
              ExitCode::chain_spec);
}

}  // namespace
}  // namespace gradient::node
