// Snapshots: what goes out comes in the same, and nothing else comes in.
#include "chain/snapshot.hpp"

#include "chain/audit.hpp"
#include "chain/base/hash.hpp"
#include "chain/consensus/difficulty.hpp"
#include "chain/ledger.hpp"
#include "chain/state/state_tree_builder.hpp"
#include "chain/storage/record.hpp"
#include "chain/storage/stored_state.hpp"
#include "tests/support/chain_contents.hpp"
#include "tests/support/chain_store.hpp"
#include "tests/support/faulty_store.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <random>
#include <sstream>
#include <string>
#include <vector>

namespace gradient::chain {
namespace {

using test::contents;

constexpr std::uint64_t kBlocks = 12;
constexpr std::uint64_t kBuried = 10;
constexpr std::string_view kEveryTable = "vtahbdmsnulwpiy";

// A chain of a few blocks with a listed share, for all tests.
struct Grown {
    std::shared_ptr<const Network> network = test::tiny_network(2);
    test::StorePtr store = std::make_shared<MemoryStore>();
    std::vector<Hash256> ids;
    Hash256 root_of_buried;
    std::string file;  // of the state after block kBuried

    Grown() {
        OwnTrainers trainers;
        auto ledger = test::open_ledger(network, store);
        ids.push_back(network->genesis.id);
        while (ids.size() <= kBlocks) {
            TemplateContents contents;
            if (ids.size() == 8) contents.shares = {test::mine_share(*ledger, ids[6], trainers, 4)};
            ids.push_back(*test::grow(*ledger, ids.back(), trainers, 7, std::move(contents)));
        }
        root_of_buried = (*ledger->index(ids[kBuried]))->state_root;
        std::ostringstream out;
        CHECK(export_snapshot(*store, kBuried, out));
        file = out.str();
    }
};

// A snapshot taken apart, to be put together otherwise with all hashes right.
struct Parts {
    SnapshotHead head;
    std::vector<SnapshotEntry> entries;
};

Parts parts_of(const std::string& file) {
    std::istringstream in(file);
    auto reader = SnapshotReader::open(in);
    CHECK(reader);
    Parts parts{reader->head(), {}};
    for (;;) {
        auto entries = reader->next();
        CHECK(entries);
        if (entries->empty()) return parts;
        for (auto& entry : *entries) parts.entries.push_back(std::move(entry));
    }
}

std::string file_of(const Parts& parts) {
    std::ostringstream out;
    SnapshotWriter writer(out);
    CHECK(writer.begin(parts.head));
    for (const auto& entry : parts.entries) CHECK(writer.add(entry.key, entry.value));
    CHECK(writer.finish());
    return out.str();
}

class Snapshots : public testing::Test {
  protected:
    static const Grown& grown() {
        static const Grown kGrown;
        return kGrown;
    }

    std::string export_at(std::uint64_t height) const {
        std::ostringstream out;
        const auto made = export_snapshot(*grown_.store, height, out);
        EXPECT_TRUE(made) << describe(made.error());
        return out.str();
    }

    Result<SnapshotSummary, SnapshotFailure> import(const std::string& file, const Hash256& pin) {
        std::istringstream in(file);
        return import_snapshot(*network_, *store_, in, pin);
    }

    // Expects a refusal by a rule, and nothing left of it.
    void refuses(const std::string& file, SnapshotError rule, const Hash256& pin) {
        const auto taken = import(file, pin);
        ASSERT_FALSE(taken);
        EXPECT_EQ(taken.error(), SnapshotFailure(rule)) << describe(taken.error());
        EXPECT_TRUE(contents(*store_, kEveryTable).empty());
    }
    void refuses(const std::string& file, SnapshotError rule) {
        refuses(file, rule, grown_.root_of_buried);
    }

    // The file with one change of its parts, its root among them if `pin` is that.
    void refuses(const std::function<void(Parts&)>& change, SnapshotError rule) {
        Parts parts = parts_of(grown_.file);
        change(parts);
        refuses(file_of(parts), rule, parts.head.state_root);
    }

    static void set_root(Parts& parts) {
        StateDiff diff;
        for (const auto& entry : parts.entries) {
            diff.writes.push_back({entry.key, std::make_shared<const Bytes>(entry.value)});
        }
        const EmptyTree nothing;
        StateTree tree(nothing);
        CHECK(tree.apply(diff));
        parts.head.state_root = *tree.root();
        parts.head.child.reset();
    }

    static SnapshotEntry& entry(Parts& parts, const StateKey& key) {
        for (auto& one : parts.entries) {
            if (one.key == key) return one;
        }
        CHECK(false);
        return parts.entries.front();
    }

    const Grown& grown_ = grown();
    std::shared_ptr<const Network> network_ = grown_.network;
    const std::vector<Hash256>& ids_ = grown_.ids;
    test::StorePtr store_ = std::make_shared<MemoryStore>();
    OwnTrainers trainers_;
};

TEST_F(Snapshots, of_the_tip_gives_the_same_state_tree_and_next_block) {
    const std::string file = export_at(kBlocks);
    const auto original = test::open_ledger(network_, test::copy_of(*grown_.store));
    const auto taken = import(file, original->tip()->index().state_root);
    ASSERT_TRUE(taken) << describe(taken.error());
    EXPECT_EQ(taken->height, kBlocks);
    EXPECT_EQ(taken->block, ids_.back());
    EXPECT_FALSE(taken->child);
    EXPECT_EQ(contents(*store_, "tsn"), contents(*grown_.store, "tsn"));
    EXPECT_EQ(contents(*store_, "mah"), contents(*grown_.store, "mah"));

    const auto imported = test::open_ledger(network_, store_);
    EXPECT_EQ(imported->tip()->index(), original->tip()->index());
    EXPECT_EQ(*imported->tip()->start().parameters, *original->tip()->start().parameters);
    for (int i = 0; i < 8; ++i) {
        Ledger& miner = i % 2 == 0 ? *original : *imported;
        const auto block = test::mine_on(miner.tip(), trainers_, static_cast<std::uint8_t>(i));
        for (Ledger* const ledger : {original.get(), imported.get()}) {
            const auto outcome = ledger->submit_block(block, block->header.tmpl.time_ms, trainers_);
            ASSERT_TRUE(outcome) << describe(outcome.error());
        }
        ASSERT_EQ(imported->tip()->index(), original->tip()->index());
    }
}

TEST_F(Snapshots, of_a_buried_block_goes_on_with_the_blocks_that_came_after_it) {
    const auto taken = import(grown_.file, ids_[kBuried + 1]);  // pinned by the child's id
    ASSERT_TRUE(taken) << describe(taken.error());
    EXPECT_EQ(taken->child, ids_[kBuried + 1]);
    const auto imported = test::open_ledger(network_, store_);
    EXPECT_EQ(imported->tip()->id(), ids_[kBuried]);
    for (std::uint64_t height = kBuried + 1; height <= kBlocks; ++height) {
        const auto block =
            std::make_shared<const Block>(**BlockReader(*grown_.store).block(ids_[height]));
        const auto outcome = imported->submit_block(block, block->header.tmpl.time_ms, trainers_);
        ASSERT_TRUE(outcome) << describe(outcome.error());
    }
    EXPECT_EQ(contents(*store_, "tsnmah"), contents(*grown_.store, "tsnmah"));
}

TEST_F(Snapshots, of_every_height_have_the_root_of_their_index) {
    for (std::uint64_t height = 0; height <= kBlocks; ++height) {
        store_ = std::make_shared<MemoryStore>();
        const Hash256 root = BlockReader(*grown_.store).require_index(ids_[height])->state_root;
        const auto taken = import(export_at(height), root);
        ASSERT_TRUE(taken) << height << ": " << describe(taken.error());
        const auto audit = audit_chain(network_, *store_, AuditDepth::openings, nullptr);
        ASSERT_TRUE(audit) << audit.error().to_string();
        EXPECT_EQ(audit->first_block, height + 1);
        EXPECT_EQ(audit->state_root, root);
    }
}

TEST_F(Snapshots, judge_late_shares_of_rounds_before_them_as_the_original_does) {
    const auto original = test::open_ledger(network_, test::copy_of(*grown_.store));
    const auto late = test::mine_share(*original, ids_[kBlocks - 1], trainers_, 5);
    ASSERT_TRUE(import(export_at(kBlocks), original->tip()->index().state_root));
    const auto imported = test::open_ledger(network_, store_);
    const auto first = *test::grow(*original, original->tip()->id(), trainers_, 3);
    const auto block = std::make_shared<const Block>(**original->block(first));
    ASSERT_TRUE(imported->submit_block(block, block->header.tmpl.time_ms, trainers_));
    TemplateContents contents;
    contents.transactions.push_back({ShareTransaction{*late.segment}});
    const auto with_late = test::mine_on(imported->tip(), trainers_, 3, 0, contents);
    for (Ledger* const ledger : {original.get(), imported.get()}) {
        const auto outcome =
            ledger->submit_block(with_late, with_late->header.tmpl.time_ms, trainers_);
        ASSERT_TRUE(outcome) << describe(outcome.error());
        // A second time the lane is refused.
        const auto share = ledger->admit_share(late.segment);
        ASSERT_TRUE(share);
        EXPECT_FALSE(verify_share(*share, trainers_));
    }
    EXPECT_EQ(imported->tip()->index(), original->tip()->index());
}

TEST_F(Snapshots, hold_a_branch_that_forks_below_them_as_pruned) {
    const auto original = test::open_ledger(network_, test::copy_of(*grown_.store));
    ASSERT_TRUE(import(grown_.file, grown_.root_of_buried));
    const auto imported = test::open_ledger(network_, store_);
    const auto block = test::mine_on(*original->state_after(ids_[kBuried - 1]), trainers_, 9);
    EXPECT_EQ(imported->admit(block, block->header.tmpl.time_ms).error(),
              SubmitError(LedgerError::pruned));
    EXPECT_EQ(imported->state_after(ids_[kBuried - 1]).error().fault, StoreFault::pruned);
}

TEST_F(Snapshots, of_an_imported_chain_can_be_exported_again) {
    ASSERT_TRUE(import(grown_.file, grown_.root_of_buried));
    std::ostringstream out;
    ASSERT_TRUE(export_snapshot(*store_, kBuried, out));
    Parts first = parts_of(grown_.file);
    Parts second = parts_of(out.str());
    first.head.child.reset();
    EXPECT_EQ(first.head, second.head);
    EXPECT_EQ(first.entries, second.entries);
    std::ostringstream low;
    const auto refused = export_snapshot(*store_, kBuried - 1, low);
    ASSERT_FALSE(refused);
    EXPECT_EQ(std::get<StoreError>(refused.error()).fault, StoreFault::pruned);
}

TEST_F(Snapshots, export_refuses_a_height_above_the_tip_and_a_store_without_a_chain) {
    std::ostringstream out;
    EXPECT_EQ(export_snapshot(*grown_.store, kBlocks + 1, out).error(),
              SnapshotFailure(SnapshotError::unknown_height));
    EXPECT_EQ(export_snapshot(*store_, 0, out).error(), SnapshotFailure(SnapshotError::no_chain));
    EXPECT_TRUE(out.str().empty());
}

TEST_F(Snapshots, export_says_when_it_cannot_write) {
    std::ostringstream out;
    out.setstate(std::ios::badbit);
    EXPECT_EQ(export_snapshot(*grown_.store, kBlocks, out).error(),
              SnapshotFailure(SnapshotError::cannot_write));
}

// ------------------------------------------------------------------------------------------------
// the form

TEST_F(Snapshots, begin_with_these_bytes) {
    EXPECT_EQ(grown_.file.substr(0, 12), std::string("GRADSNAP\x01\0\0\0", 12));
    std::istringstream in(grown_.file);
    const auto seen = inspect_snapshot(in);
    ASSERT_TRUE(seen);
    EXPECT_EQ(seen->size_bytes, grown_.file.size());
    EXPECT_EQ(seen->state_root, grown_.root_of_buried);
    EXPECT_EQ(seen->cumulative_work,
              BlockReader(*grown_.store).require_index(ids_[kBuried])->cumulative_work);
    EXPECT_EQ(seen->headers, kBuried + 1);
}

TEST_F(Snapshots, cut_short_anywhere_are_refused) {
    for (std::size_t size = 0; size < grown_.file.size(); size += 997) {
        refuses(grown_.file.substr(0, size), SnapshotError::truncated);
    }
    refuses(grown_.file.substr(0, grown_.file.size() - 1), SnapshotError::truncated);
}

TEST_F(Snapshots, with_a_flipped_byte_anywhere_are_refused) {
    for (std::size_t at = 0; at < grown_.file.size(); at += 997) {
        std::string file = grown_.file;
        file[at] = static_cast<char>(file[at] ^ 0x10);
        std::istringstream in(file);
        EXPECT_FALSE(inspect_snapshot(in)) << at;
        if (at % 9'970 != 0) continue;  // of every tenth, that nothing of it stays
        EXPECT_FALSE(import(file, grown_.root_of_buried)) << at;
        ASSERT_TRUE(contents(*store_, kEveryTable).empty()) << at;
    }
}

TEST_F(Snapshots, of_another_form_are_refused_by_name) {
    const auto with = [this](std::size_t at, std::string_view bytes) {
        std::string file = grown_.file;
        return file.replace(at, bytes.size(), bytes);
    };
    refuses(with(0, "G3"), SnapshotError::bad_magic);
    refuses(with(8, "\x02"), SnapshotError::unknown_version);
    refuses(with(12, "\xff\xff\xff\xff"), SnapshotError::head_too_large);
    refuses(with(100, "\xff"), SnapshotError::wrong_hash);
    refuses(grown_.file + "x", SnapshotError::trailing_bytes);
    refuses(with(grown_.file.size() - 1, "\x55"), SnapshotError::wrong_hash);
    const std::size_t head = parts_of(grown_.file).head.headers.size();
    ASSERT_GT(head, 1U);
    const std::size_t chunk =
        16 + encoded_size(parts_of(grown_.file).head) + 32;  // where the first chunk begins
    refuses(with(chunk, "\xff\xff\xff\xff"), SnapshotError::chunk_too_large);
    refuses(with(chunk + 10, "\xfe\xfe"), SnapshotError::wrong_hash);
}

// Puts bytes together as a writer would who does not know what is right.
std::string raw_file(ByteSpan head, ByteSpan chunk, std::uint64_t entries, const Hash256& root) {
    static const TaggedHasher kHead("gradient/snapshot/head");
    static const TaggedHasher kChunk("gradient/snapshot/chunk");
    static const TaggedHasher kEnd("gradient/snapshot/end");
    Writer file;
    file.append(as_bytes("GRADSNAP"));
    write_integer(file, kSnapshotVersion);
    write_integer(file, static_cast<std::uint32_t>(head.size()));
    file.append(head);
    Sha256 state = kHead.start();
    write_integer(state, kSnapshotVersion);
    state.update(head);
    Hash256 running = state.digest();
    encode_into(file, running);
    if (!chunk.empty()) {
        write_integer(file, static_cast<std::uint32_t>(chunk.size()));
        file.append(chunk);
        Sha256 next = kChunk.start();
        next.update(running.bytes).update(chunk);
        running = next.digest();
        encode_into(file, running);
    }
    write_integer(file, std::uint32_t{0});
    encode_into(file, SnapshotEnd{entries, root, hash_encoded(kEnd, running, entries, root)});
    return std::string(as_text(file.bytes()));
}

TEST_F(Snapshots, whose_content_has_no_meaning_are_refused_by_name) {
    const SnapshotHead head = parts_of(grown_.file).head;
    const Bytes good = encode(head);
    Bytes longer = good;
    longer.push_back(0);
    const Hash256& root = head.state_root;
    refuses(raw_file(longer, {}, 0, root), SnapshotError::bad_head);
    SnapshotHead none = head;
    none.headers.clear();
    refuses(raw_file(encode(none), {}, 0, root), SnapshotError::bad_head);
    refuses(raw_file(good, Bytes{1, 7}, 0, root), SnapshotError::bad_entry);
    refuses(raw_file(good, Bytes{200, 7}, 0, root), SnapshotError::bad_entry);  // key too long
    refuses(raw_file(good, Bytes{1, 7, 0, 1, 7, 0}, 2, root), SnapshotError::entry_order);
    refuses(raw_file(good, Bytes{1, 7, 0, 1, 6, 0}, 2, root), SnapshotError::entry_order);
    refuses(raw_file(good, Bytes{1, 7, 0}, 2, root), SnapshotError::wrong_count);
    refuses(raw_file(good, Bytes{1, 7, 0}, 1, test::hash_of(1)), SnapshotError::wrong_end_root);
    refuses(raw_file(good, Bytes{1, 7, 0}, 1, root), SnapshotError::wrong_root);
}

// ------------------------------------------------------------------------------------------------
// what it says

TEST_F(Snapshots, of_another_network_are_refused) {
    ChainSpec other = test::tiny_spec(2);
    other.network_id += 1;
    network_ = *make_network(other);
    refuses(grown_.file, SnapshotError::wrong_network);
}

TEST_F(Snapshots, with_another_hash_than_the_pinned_one_are_refused) {
    refuses(grown_.file, SnapshotError::wrong_pin, test::hash_of(3));
    refuses(grown_.file, SnapshotError::wrong_pin, ids_[kBuried - 1]);
    refuses(grown_.file, SnapshotError::pin_of_block, ids_[kBuried]);
}

TEST_F(Snapshots, with_headers_that_are_no_chain_are_refused) {
    const auto bad = SnapshotError::bad_headers;
    refuses([](Parts& p) { p.head.headers.erase(p.head.headers.begin() + 3); }, bad);
    refuses([](Parts& p) { p.head.headers.erase(p.head.headers.begin()); }, bad);
    refuses([](Parts& p) { p.head.headers[4].header.tmpl.time_ms += 1; }, bad);
    refuses([](Parts& p) { p.head.headers[4].header.last_digest = test::hash_of(255); }, bad);
    refuses([](Parts& p) { p.head.headers[4].unit_work += 1; }, bad);
    refuses([](Parts& p) { p.head.headers[0].child_unit_work += 1; }, bad);
    refuses([](Parts& p) { p.head.headers[0].header.tmpl.time_ms -= 1; }, bad);
}

// Drops the lowest headers, so that the peaks below have to tell of them.
void shorten(Parts& parts, std::size_t count) {
    MmrPeaks below;
    U256 work;
    for (std::size_t i = 0; i < count; ++i) {
        const Header& header = parts.head.headers[i].header;
        const U256 after = saturating_add(work, block_work(header.tmpl.bits));
        CHECK(below.append(
            {header_id(header), header.tmpl.height, header.tmpl.time_ms, work, after}));
        work = after;
    }
    parts.head.before = below;
    parts.head.headers.erase(parts.head.headers.begin(),
                             parts.head.headers.begin() + static_cast<std::ptrdiff_t>(count));
}

TEST_F(Snapshots, that_begin_above_genesis_go_on_from_the_peaks_below) {
    Parts parts = parts_of(grown_.file);
    shorten(parts, 6);
    ASSERT_TRUE(import(file_of(parts), grown_.root_of_buried));
    const auto ledger = test::open_ledger(network_, store_);
    EXPECT_EQ(ledger->tip()->index(), BlockReader(*grown_.store).require_index(ids_[kBuried]));
    EXPECT_EQ(ledger->kept()->headers, 6U);
    EXPECT_FALSE(ledger->index(ids_[5])->has_value());
    ASSERT_TRUE(test::grow(*ledger, ledger->tip()->id(), trainers_));
    const auto audit = audit_chain(network_, *store_, AuditDepth::openings, nullptr);
    ASSERT_TRUE(audit) << audit.error().to_string();
    EXPECT_EQ(audit->first_header, 6U);
    EXPECT_EQ(audit->first_block, kBuried + 1);
    std::ostringstream out;
    EXPECT_TRUE(export_snapshot(*store_, kBuried + 1, out));
}

TEST_F(Snapshots, whose_peaks_are_not_those_below_their_headers_are_refused) {
    refuses(
        [](Parts& p) {
            shorten(p, 6);
            auto peaks = p.head.before.peaks();
            peaks.back().hash.bytes[0] ^= 1;
            p.head.before = *MmrPeaks::from_peaks(6, peaks);
        },
        SnapshotError::bad_headers);
    refuses(
        [](Parts& p) {
            shorten(p, 6);
            p.head.before = MmrPeaks();
        },
        SnapshotError::bad_headers);
    refuses(
        [](Parts& p) {
            shorten(p, 6);
            p.head.headers[0].header.tmpl.bits = 0;
        },
        SnapshotError::bad_headers);
}

TEST_F(Snapshots, whose_child_does_not_stand_on_them_are_refused) {
    const auto wrong = SnapshotError::wrong_child;
    refuses([](Parts& p) { p.head.child->tmpl.state_root = test::hash_of(2); }, wrong);
    refuses([](Parts& p) { p.head.child->tmpl.parent = test::hash_of(2); }, wrong);
    refuses([](Parts& p) { p.head.child->tmpl.time_ms = 1; }, wrong);
    refuses([](Parts& p) { p.head.child = p.head.headers.back().header; }, wrong);
}

TEST_F(Snapshots, with_an_entry_changed_missing_or_added_are_refused) {
    const auto wrong = SnapshotError::wrong_root;
    refuses([](Parts& p) { entry(p, model_key(kGenesisTask)).value[1000] ^= 1; }, wrong);
    refuses([](Parts& p) { p.entries.pop_back(); }, wrong);
    refuses([](Parts& p) { p.entries.push_back({Bytes{255}, Bytes{1}}); }, wrong);
    refuses([](Parts& p) { p.entries.clear(); }, wrong);
}

TEST_F(Snapshots, whose_block_is_not_the_one_before_the_state_are_refused) {
    const auto wrong = SnapshotError::wrong_block;
    // A header less, or another lane's: the state names the segment of the block that made it.
    refuses(
        [](Parts& p) {
            p.head.headers.pop_back();
            p.head.child.reset();
        },
        wrong);
    refuses(
        [](Parts& p) {
            p.head.headers.back().header.tmpl.miner = test::tiny_key(99).public_key();
            p.head.child.reset();
        },
        wrong);
    refuses(
        [](Parts& p) {
            p.head.headers.back().header.units += 1;
            p.head.child.reset();
        },
        wrong);
    refuses(
        [](Parts& p) {
            PendingRound pending = *decode_exact<PendingRound>(entry(p, pending_round_key()).value);
            pending.winner.bytes[0] ^= 1;
            entry(p, pending_round_key()).value = encode(pending);
            set_root(p);
        },
        wrong);
    refuses(
        [](Parts& p) {
            p.head.headers.resize(1);  // the genesis block with a state that is not its own
            p.head.child.reset();
        },
        wrong);
}

TEST_F(Snapshots, whose_child_task_is_not_the_drawn_one_are_refused) {
    refuses(
        [](Parts& p) {
            p.head.headers.back().child_unit_work += 1;
            p.head.child.reset();
        },
        SnapshotError::wrong_task);
    refuses(
        [](Parts& p) {
            p.head.headers.back().child_task += 1;
            p.head.child.reset();
        },
        SnapshotError::wrong_task);
}

// ------------------------------------------------------------------------------------------------
// the place

TEST_F(Snapshots, are_not_imported_over_a_chain_or_anything_else) {
    test::open_ledger(network_, store_);
    const auto before = contents(*store_, kEveryTable);
    EXPECT_EQ(import(grown_.file, grown_.root_of_buried).error(),
              SnapshotFailure(SnapshotError::not_empty));
    EXPECT_EQ(contents(*store_, kEveryTable), before);
    store_ = std::make_shared<MemoryStore>();
    WriteBatch batch;
    batch.put({'z'}, {1});
    ASSERT_TRUE(store_->write(batch, Durability::synced));
    EXPECT_EQ(import(grown_.file, grown_.root_of_buried).error(),
              SnapshotFailure(SnapshotError::not_empty));
}

TEST_F(Snapshots, killed_at_any_write_of_an_import_are_no_chain_and_can_be_imported_again) {
    ASSERT_TRUE(import(grown_.file, grown_.root_of_buried));
    const auto complete = contents(*store_, kEveryTable);
    for (std::size_t failing = 0;; ++failing) {
        store_ = std::make_shared<MemoryStore>();
        FaultyStore faulty(*store_);
        faulty.fail_after(failing);
        std::istringstream in(grown_.file);
        const auto taken = import_snapshot(*network_, faulty, in, grown_.root_of_buried);
        if (taken) {
            EXPECT_GE(failing, 4U);  // mark, entries, tree, chain
            break;
        }
        EXPECT_EQ(std::get<StoreError>(taken.error()).fault, StoreFault::full);
        const auto opened = Ledger::open(network_, std::make_unique<test::SharedStore>(store_));
        if (failing == 0) {
            EXPECT_TRUE(opened);  // nothing was written: an empty store
            store_ = std::make_shared<MemoryStore>();
        } else {
            ASSERT_FALSE(opened);
            EXPECT_NE(opened.error().message.find("unfinished import"), std::string::npos);
        }
        ASSERT_TRUE(import(grown_.file, grown_.root_of_buried));
        ASSERT_EQ(contents(*store_, kEveryTable), complete) << "write " << failing;
        test::open_ledger(network_, store_);
    }
}

TEST_F(Snapshots, large_states_are_written_in_pieces_and_each_kill_is_survived) {
    Parts parts = parts_of(grown_.file);
    for (std::uint32_t i = 0; i < 3'000; ++i) {
        Bytes key{200};
        for (int shift = 24; shift >= 0; shift -= 8) {
            key.push_back(static_cast<std::uint8_t>(i >> static_cast<unsigned>(shift)));
        }
        parts.entries.push_back({std::move(key), Bytes(5'000, static_cast<std::uint8_t>(i))});
    }
    set_root(parts);
    const std::string file = file_of(parts);
    std::size_t refused = 0;
    for (std::size_t failing = 1;; ++failing) {
        store_ = std::make_shared<MemoryStore>();
        FaultyStore faulty(*store_);
        faulty.fail_after(failing);
        std::istringstream in(file);
        if (import_snapshot(*network_, faulty, in, parts.head.state_root)) break;
        ++refused;
        ASSERT_FALSE(Ledger::open(network_, std::make_unique<test::SharedStore>(store_)));
    }
    EXPECT_GE(refused, 6U);
    test::open_ledger(network_, store_);
}

// ------------------------------------------------------------------------------------------------

TEST(StateTreeBuilders, give_the_nodes_and_the_root_of_the_tree_that_grows) {
    std::mt19937_64 random(7);
    for (const std::size_t count : {0U, 1U, 2U, 3U, 10U, 500U}) {
        StateDiff diff;
        std::map<Hash256, Hash256> leaves;
        for (std::size_t i = 0; i < count; ++i) {
            const Bytes key{static_cast<std::uint8_t>(i >> 8U), static_cast<std::uint8_t>(i)};
            const Bytes value(1 + random() % 40, static_cast<std::uint8_t>(random()));
            diff.writes.push_back({key, std::make_shared<const Bytes>(value)});
            leaves[state_path(key)] = state_value_hash(value);
        }
        const EmptyTree nothing;
        StateTree grown(nothing);
        ASSERT_TRUE(grown.apply(diff));
        StateTree::Changes built;
        StateTreeBuilder builder([&](const TreePosition& position, const TreeNode& node) {
            EXPECT_TRUE(built.emplace(position, node).second);
        });
        for (const auto& [path, value] : leaves) builder.add({path, value});
        EXPECT_EQ(builder.finish(), *grown.root());
        StateTree::Changes wanted = grown.changes();
        std::erase_if(wanted, [](const auto& change) { return !change.second; });
        EXPECT_EQ(built, wanted);
    }
}

}  // namespace
}  // namespace gradient::chain
